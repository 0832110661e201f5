import { setMaxListeners } from 'node:events';

export interface Limits {
  /** Of the whole call, until the last byte of the answer. */
  readonly timeoutMs: number;
  /** The longest time in which nothing comes. */
  readonly silenceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The time limits of one call joined with its caller's signal; end it with `clear`. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Which limit was exceeded, in words; undefined while none is. */
  exceeded(): string | undefined;
  /** Something came: the silence begins anew. */
  touch(): void;
  clear(): void;
}

/** Timers and a listener that are removed again: `AbortSignal.any` on a signal of a process that runs for days keeps all of them. */
export function deadlineOf({ timeoutMs, silenceMs, signal }: Limits): Deadline {
  const controller = new AbortController();
  let reason: string | undefined;
  const giveUp = (why: string): void => {
    reason ??= why;
    controller.abort(new DOMException(why, 'TimeoutError'));
  };
  const total = setTimeout(() => giveUp(`it took more than ${timeoutMs} ms`), timeoutMs);
  const silence =
    silenceMs === undefined
      ? undefined
      : setTimeout(() => giveUp(`nothing came for ${silenceMs / 1000} s`), silenceMs);
  const abort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted === true) abort();
  else if (signal !== undefined) {
    // One listener for each call under way: many at a time is no leak.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', abort, { once: true });
  }
  return {
    signal: controller.signal,
    exceeded: () => reason,
    touch: () => silence?.refresh(),
    clear: () => {
      clearTimeout(total);
      clearTimeout(silence);
      signal?.removeEventListener('abort', abort);
    },
  };
}
