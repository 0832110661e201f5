/** Time as a thing that can be handed in, so that a test need not wait. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts; it never rejects, so ask the signal afterwards. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
