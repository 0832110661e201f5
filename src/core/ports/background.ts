import type { ProcessReport } from './stack.js';

export interface BackgroundStart {
  /** Unique per data folder: `produce`, `sandbox`. */
  readonly name: string;
  /** What would be typed after `cryptopipe`. */
  readonly args: readonly string[];
  /** Flags for the first start alone: what is started again after a crash goes on where it was. */
  readonly firstArgs?: readonly string[];
  /** The command that ends it alone, for whom it stands in the way; `cryptopipe stack down` ends it in any case. */
  readonly stopCommand?: string;
  /** Asked again and again until it resolves; where it is missing, a process that lives for a moment is taken as started. */
  readonly ready?: ((signal: AbortSignal) => Promise<void>) | undefined;
  readonly readyTimeoutMs?: number;
  readonly ports?: Readonly<Record<string, number>>;
  /** The folder whose `.env` it reads; the current one where it is missing. */
  readonly cwd?: string | undefined;
  readonly signal?: AbortSignal;
}

/** Commands of our own that outlive the call which started them. */
export interface Background {
  /**
   * Starts the command, or returns the one that already runs under this name and does the same.
   * @throws ConfigError when the one that runs does something else: other symbols, another exchange.
   * @throws UnreachableError with the end of its log when it ends before it is ready.
   */
  start(start: BackgroundStart): Promise<ProcessReport>;
  /** Asks it to end, waits, and ends it hard after `timeoutMs`; false where nothing ran under that name. */
  stop(name: string, timeoutMs?: number): Promise<boolean>;
  list(): Promise<ProcessReport[]>;
  /** Starts what has died without an order again, as it was started; gives what runs anew. */
  resume(signal?: AbortSignal): Promise<ProcessReport[]>;
}
