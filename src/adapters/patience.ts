import { RefusedError, UnreachableError } from '../core/errors.js';
import type { Outages } from '../core/outages.js';
import type { Clock } from '../core/ports/clock.js';
import { retrying } from '../core/retry.js';
import { wasNeverSent } from '../http/failure.js';

/** How long the client of a server tries again, and what its outages are reported to. */
export interface Patience {
  readonly clock: Clock;
  readonly outages: Outages;
  /** From the first failure on, ms. */
  readonly giveUpAfterMs: number;
}

/** Runs the calls of one client by the retry policy. */
export interface PatientCalls {
  /** A call that may be made twice: a read, or a write that leaves the same. */
  repeatable<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** A call that is made again only where the failure says that the server did nothing. */
  once<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/**
 * The calls to `system` (see `RetryOptions.system`); without patience each is made once. After it gave up once, each further
 * call is made once until one succeeds: a command with many calls waits for a dead server only once. `didNothing` tells from
 * a failure whether the server did nothing.
 */
export function patientCalls(
  system: string,
  patience: Patience | undefined,
  didNothing = wasNotDone,
): PatientCalls {
  if (patience === undefined) return { repeatable: (work) => work(), once: (work) => work() };
  let hasGivenUp = false;
  const call = async <T>(
    work: () => Promise<T>,
    mayRepeat: (error: UnreachableError) => boolean,
    signal?: AbortSignal,
  ): Promise<T> => {
    const giveUpAfterMs = hasGivenUp ? 0 : patience.giveUpAfterMs;
    try {
      const result = await retrying(work, { ...patience, system, giveUpAfterMs, mayRepeat, signal });
      hasGivenUp = false;
      return result;
    } catch (error) {
      hasGivenUp ||= error instanceof UnreachableError && error.retryable && mayRepeat(error);
      throw error;
    }
  };
  return {
    repeatable: (work, signal) => call(work, () => true, signal),
    once: (work, signal) => call(work, didNothing, signal),
  };
}

/** A refusal says so; a call that was not sent did nothing either. After a broken connection nobody can tell. */
export const wasNotDone = (error: UnreachableError): boolean =>
  error instanceof RefusedError || wasNeverSent(error);
