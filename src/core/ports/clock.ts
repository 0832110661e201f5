/** The time, so that a test needs no waiting. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Returns after `ms`, or at once when the signal aborts; never throws. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
