import { InterruptedError } from '../core/errors.js';

/** After the first Ctrl-C a command may finish what it has begun, for so many milliseconds. */
const defaultGraceMs = 3_000;
/** `produce` sends its last trades for up to 8 s; the others stop the servers that they started, within limits of their own. */
const graceMsOf: Readonly<Record<string, number>> = { produce: 8_500, demo: Infinity, stack: Infinity };
/** Closing connections in order is a courtesy to the servers: it never keeps the answer's reader waiting. Milliseconds. */
const closeMs = 5_000;
const closeAfterInterruptMs = 1_000;

/** The part of a stream that is needed to learn when everything is written. */
export interface FlushedStream {
  readonly destroyed: boolean;
  readonly writable: boolean;
  write(text: string, done: () => void): unknown;
}

/** Resolves when all that was written before has left this process, or when nobody reads any more. */
export async function flushed(stream: FlushedStream): Promise<void> {
  if (stream.destroyed || !stream.writable) return;
  await new Promise<void>((resolve) => stream.write('', resolve));
}

/** Resolves with `work`, or after `ms`, whichever comes first. A failure of `work` counts as its end. */
export async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}

/** Closes what a command has opened, for a bounded time; what stays open ends with the process. */
export const closeInTime = (closed: Promise<unknown>, signal: AbortSignal): Promise<void> =>
  atMost(signal.aborted ? closeAfterInterruptMs : closeMs, closed);

/**
 * `work` of a command, given up a while after the signal aborts: a call that no signal reaches does not keep the process.
 * @throws InterruptedError when the time is over.
 */
export async function interruptible<T>(
  work: Promise<T>,
  signal: AbortSignal,
  commandName: () => string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let start = (): void => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    start = () => {
      const graceMs = graceMsOf[commandName()] ?? defaultGraceMs;
      if (graceMs === Infinity) return;
      const error = new InterruptedError(`The command did not end within ${graceMs / 1000} s of Ctrl-C`, {
        nextStep: 'Its open connections were dropped.',
      });
      timer = setTimeout(() => reject(error), graceMs);
    };
    if (signal.aborted) start();
    else signal.addEventListener('abort', start, { once: true });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', start);
  }
}
