import { setTimeout as sleep } from 'node:timers/promises';
import { CryptopipeError, UnreachableError } from '../core/errors.js';
import type { Say } from '../core/ports/stack.js';
import { lastLine, logTail } from './log-tail.js';
import type { Server } from './server.js';

export interface Waiting extends Pick<Server, 'progress' | 'knownEnds'> {
  readonly name: string;
  readonly logPath: string;
  /** What it prints, where that is another file than its log, and when it was started: the log holds earlier starts too. */
  readonly output?: { readonly path: string; readonly startedAt: number };
  /** The longest time without progress; of a server that reports none, the longest time. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** How the process ended, once it has. */
  readonly ended: () => string | undefined;
  readonly say?: Say;
}

const pauseMs = 150;
const attemptMs = 10_000;
/** Between two lines about the progress. */
const sayEachMs = 10_000;

/**
 * Asks until the answer is good. The time begins anew with each progress that the server reports: how long a server
 * recovers depends on its data, so no fixed time is right.
 * @throws UnreachableError with the end of the log when the process ends before, or when the time is over.
 */
export async function waitReady(waiting: Waiting): Promise<void> {
  const { timeoutMs, signal } = waiting;
  const watch = watchProgress(waiting);
  let last: unknown;
  for (;;) {
    signal.throwIfAborted();
    const end = waiting.ended();
    if (end !== undefined) throw await failure(waiting, `ended while it was starting: ${end}`, last);
    if (Date.now() - watch.movedAt() > timeoutMs) {
      const progress = watch.last() === undefined ? '' : ` after its last progress (${watch.last() ?? ''})`;
      const reason = last instanceof Error ? `; the last answer was: ${last.message}` : '';
      throw await failure(waiting, `was not ready within ${timeoutMs / 1000} s${progress}${reason}`, last);
    }
    try {
      await waiting.check(limited(signal));
      // A program of another folder may have answered in its place.
      if (waiting.ended() === undefined) return;
    } catch (error) {
      if (isFinal(error)) throw error;
      last = error;
    }
    await watch.look();
    await sleep(pauseMs, undefined, { signal });
  }
}

const limited = (signal: AbortSignal): AbortSignal =>
  AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]);

/** A server that does not answer yet, or that is busy with its own start, may get ready. */
const isFinal = (error: unknown): boolean =>
  error instanceof CryptopipeError && !(error instanceof UnreachableError && error.retryable);

function watchProgress(waiting: Waiting) {
  const { name, progress, say, signal } = waiting;
  let movedAt = Date.now();
  let saidAt = movedAt;
  let last: string | undefined;
  return {
    movedAt: () => movedAt,
    last: () => last,
    look: async (): Promise<void> => {
      if (progress === undefined) return;
      const found = await Promise.resolve(progress(limited(signal), await logOf(waiting, 500))).catch(
        () => undefined,
      );
      if (found === undefined || found === last) return;
      last = found;
      movedAt = Date.now();
      if (movedAt - saidAt < sayEachMs) return;
      saidAt = movedAt;
      say?.(`${name}: still starting: ${found}`);
    },
  };
}

async function failure(waiting: Waiting, what: string, cause: unknown): Promise<UnreachableError> {
  const { name, logPath, knownEnds = [] } = waiting;
  const searched = await logOf(waiting, 200);
  const known = knownEnds.flatMap(({ line, nextStep }) => {
    const found = lastLine(searched, line);
    return found === undefined ? [] : [{ found, nextStep }];
  })[0];
  const whole = `Its whole log is ${logPath}.`;
  return new UnreachableError(`${name} ${what}${known === undefined ? '' : `: ${known.found}`}`, {
    logTail: await logOf(waiting, 25),
    nextStep: known === undefined ? whole : `${known.nextStep} ${whole}`,
    cause,
  });
}

/** The last lines of what it printed, and of its log below them. */
async function logOf({ logPath, output }: Waiting, lines: number): Promise<string> {
  if (output === undefined || output.path === logPath) return logTail(logPath, lines);
  const parts = [
    await logTail(output.path, lines),
    await logTail(logPath, lines, { since: output.startedAt }),
  ];
  return parts.filter((part) => part !== '').join('\n');
}
