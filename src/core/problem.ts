/** What kind of thing is wrong. `name`: two things have one name; `manifest`: it does not say what a manifest says. */
export type ProblemKind =
  'manifest' | 'name' | 'parameter' | 'template' | 'python' | 'sql' | 'secret' | 'resources';

/** Something that a person has to correct, and where, as far as that is known. Lines and columns begin at 1. */
export interface Problem {
  readonly kind: ProblemKind;
  /** One or more lines; never holds a value that may be a secret. */
  readonly message: string;
  /** Undefined for what was typed. */
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly parameter?: string | undefined;
  readonly nextStep?: string | undefined;
}

/** `file:line:column: message`, with what is known of it. */
export function problemLine({ file, line, column, message }: Problem): string {
  const place = [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined);
  return place.length === 0 ? message : `${place.join(':')}: ${message}`;
}
