import { withoutSecrets, type KnownSecret } from '../core/secrets.js';

/** The streams of one call. Results go to `out`, everything said about them to `err`. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** True where `err` is a terminal, so that a line may be drawn over. */
  readonly isTerminal: boolean;
  readonly useColor: boolean;
}

/** The same streams, on which no secret appears: a library's error, or a job's log, may hold one. */
export function redacting(io: Io, secrets: () => readonly KnownSecret[]): Io {
  return {
    ...io,
    out: (text) => io.out(withoutSecrets(secrets(), text)),
    err: (text) => io.err(withoutSecrets(secrets(), text)),
  };
}
