import { setTimeout as sleep } from 'node:timers/promises';
import { CryptopipeError, UnreachableError } from '../core/errors.js';
import { logTail } from './log-tail.js';

export interface Waiting {
  readonly name: string;
  readonly logPath: string;
  /** What it prints, where that is another file than its log, and when it was started: the log holds earlier starts too. */
  readonly output?: { readonly path: string; readonly startedAt: number };
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** How the process ended, once it has. */
  readonly ended: () => string | undefined;
}

const pauseMs = 150;
const attemptMs = 10_000;

/**
 * Asks until the answer is good.
 * @throws UnreachableError with the end of the log when the process ends before, or when the time is over.
 */
export async function waitReady(waiting: Waiting): Promise<void> {
  const deadline = Date.now() + waiting.timeoutMs;
  let last: unknown;
  for (;;) {
    waiting.signal.throwIfAborted();
    const end = waiting.ended();
    if (end !== undefined) throw await failure(waiting, `ended while it was starting: ${end}`, last);
    if (Date.now() > deadline) {
      const reason = last instanceof Error ? `; the last answer was: ${last.message}` : '';
      throw await failure(waiting, `was not ready within ${waiting.timeoutMs / 1000} s${reason}`, last);
    }
    try {
      await waiting.check(AbortSignal.any([waiting.signal, AbortSignal.timeout(attemptMs)]));
      // A program of another folder may have answered in its place.
      if (waiting.ended() === undefined) return;
    } catch (error) {
      if (error instanceof CryptopipeError) throw error;
      last = error;
    }
    await sleep(pauseMs, undefined, { signal: waiting.signal });
  }
}

async function failure(waiting: Waiting, what: string, cause: unknown): Promise<UnreachableError> {
  return new UnreachableError(`${waiting.name} ${what}`, {
    logTail: await failureExcerpt(waiting),
    nextStep: `Its whole log is ${waiting.logPath}.`,
    cause,
  });
}

/** The last lines of what it printed, and of its log below them. */
async function failureExcerpt({ logPath, output }: Waiting): Promise<string> {
  if (output === undefined || output.path === logPath) return logTail(logPath, 25);
  const parts = [await logTail(output.path, 25), await logTail(logPath, 25, { since: output.startedAt })];
  return parts.filter((part) => part !== '').join('\n');
}
