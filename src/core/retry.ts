import { UnreachableError } from './errors.js';
import type { Outages } from './outages.js';
import type { Clock } from './ports/clock.js';

/** A failure that passes sooner is no outage, ms. */
const outageAfterMs = 2000;

interface BackoffLimits {
  readonly firstMs: number;
  readonly longestMs: number;
}
const ofCalls: BackoffLimits = { firstMs: 250, longestMs: 15_000 };

/**
 * Milliseconds to wait before try `attempt` + 1 (attempts count from 0): doubling, for calls from a quarter second to 15 s. The
 * upper half is left to chance, so that many clients do not come back at the same moment. `random` lies in [0, 1).
 */
export function backoffMs(
  attempt: number,
  random: number,
  { firstMs, longestMs }: BackoffLimits = ofCalls,
): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 20));
  return Math.round(full / 2 + (full / 2) * random);
}

/**
 * Milliseconds that a Retry-After header asks for: seconds, or a date (RFC 9110, section 10.2.3); undefined where it is
 * missing or says neither.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Math.ceil(Number(header) * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Milliseconds until the next full minute, at which the exchange counts request weight from zero again. */
export const msToNextMinute = (now: number): number => 60_000 - (now % 60_000);

export interface RetryOptions {
  /** The name of the system, as the outage is reported: `exchange`, `kafka`, `postgres`, `hdfs`, `spark`. */
  readonly system: string;
  /** What of the system the call is about, such as a symbol: named where only calls about it fail. */
  readonly part?: string | undefined;
  readonly clock: Clock;
  readonly outages: Outages;
  /** From the first failure on; Infinity in background programs: they never give up. */
  readonly giveUpAfterMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether the call may be made again after this failure; without it, after each that is `retryable`. */
  readonly mayRepeat?: (error: UnreachableError) => boolean;
  /** Awaited before each try, such as for an allowance of requests; its time is no time of failure. */
  readonly prepare?: () => Promise<void>;
  /** In [0, 1); a test passes its own. */
  readonly random?: () => number;
}

/**
 * The retry policy of every client: runs `work` again while it fails with an UnreachableError that is `retryable`, after a
 * back-off with jitter, or at the error's `retryAt`. The outage is reported once at its beginning and once at its end.
 *
 * @throws the last error when `giveUpAfterMs` would be exceeded; any other error at once; the signal's reason when it aborts.
 */
export async function retrying<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, giveUpAfterMs, mayRepeat = () => true, outages, part, signal, system } = options;
  const { random = Math.random } = options;
  let firstFailureAt: number | undefined;
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    let triedAt = clock.now();
    try {
      await options.prepare?.();
      triedAt = clock.now();
      const result = await work();
      outages.answered(system, clock.now(), part);
      return result;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof UnreachableError) || !error.retryable || !mayRepeat(error)) throw error;
      const now = clock.now();
      // A call that hung has failed from its beginning on.
      firstFailureAt ??= triedAt;
      const waitMs = Math.max(backoffMs(attempt, random()), (error.retryAt ?? 0) - now);
      if (now + waitMs - firstFailureAt > giveUpAfterMs) throw error;
      if (now + waitMs - firstFailureAt >= outageAfterMs)
        outages.failed(system, error.message, now, { part, since: firstFailureAt });
      await clock.sleep(waitMs, signal);
    }
  }
}
