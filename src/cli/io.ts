import { printable } from '../core/printable.js';
import { openEndOf, withoutSecrets, type KnownSecret } from '../core/secrets.js';

/**
 * What is written, where it is not plain text for a person. `styled`: it holds escape sequences of our own, and the text from
 * outside in it is `printable` already. `data`: it is the content of a file, which a terminal alone gets in another form.
 */
export type TextForm = 'styled' | 'data';

/** The streams of one call. Results go to `out`, everything said about them to `err`. */
export interface Io {
  readonly out: (text: string, form?: TextForm) => void;
  readonly err: (text: string, form?: TextForm) => void;
  /** True where `err` is a terminal, so that a line may be drawn over. */
  readonly isTerminal: boolean;
  /** True where `out` is a terminal. */
  readonly isOutputTerminal?: boolean | undefined;
  readonly useColor: boolean;
}

/** Streams that hold back the end of a text with which a secret may begin, until `flush`. */
export type GuardedIo = Io & { readonly flush: () => void };

/**
 * The same streams, on which no secret appears (a library's error, or a job's log, may hold one) and no control character
 * that did not come from us: what an exchange, Kafka or a log holds must not drive a terminal.
 */
export function guarded(io: Io, secrets: () => readonly KnownSecret[]): GuardedIo {
  const out = guardedWriter(io.out, secrets, (form) => form === 'data' && io.isOutputTerminal !== true);
  const err = guardedWriter(io.err, secrets, (form) => form === 'data' && !io.isTerminal);
  const flush = (): void => {
    out.flush();
    err.flush();
  };
  return { ...io, out: out.write, err: err.write, flush };
}

function guardedWriter(
  write: (text: string) => void,
  secrets: () => readonly KnownSecret[],
  isExact: (form: TextForm | undefined) => boolean,
) {
  let held = '';
  let heldForm: TextForm | undefined;
  const put = (clean: string, form: TextForm | undefined): void => {
    if (clean !== '') write(form === 'styled' || isExact(form) ? clean : printable(clean));
  };
  const flush = (): void => {
    put(held, heldForm);
    held = '';
  };
  return {
    flush,
    write: (text: string, form?: TextForm): void => {
      if (form !== heldForm) flush();
      const clean = withoutSecrets(secrets(), held + text);
      // A line that is drawn over is shown at once, and holds whole texts.
      const openLength = form === 'styled' ? 0 : openEndOf(secrets(), clean);
      held = clean.slice(clean.length - openLength);
      heldForm = form;
      put(clean.slice(0, clean.length - openLength), form);
    },
  };
}
