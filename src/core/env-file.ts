import { expandVariables, type Variables } from './env-variables.js';

/** What a `.env` file sets. No problem and no name in `unset` repeats a value: it can be a secret. */
export interface EnvFile {
  readonly values: Readonly<Record<string, string>>;
  /** What Compose refuses too, a line each. */
  readonly problems: readonly string[];
  /** Names whose value refers to a variable that is not set and that has no default. */
  readonly unset: readonly string[];
}

// White space of a line, and with line ends: the characters that compose-go skips.
const space = '[\\t\\v\\f\\r \\u0085\\u00a0]';
const anySpace = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const beforeStatement = new RegExp(`(?:${anySpace}|#[^\\n]*)*`, 'uy');
const exportWord = new RegExp(`export(?=[\\t\\n\\f\\r ])${space}*`, 'uy');
const nameAndSign = new RegExp(`((?:[\\p{L}\\p{N}_.\\-[\\]]|${space})*)(?:([=:])${space}*|\\n|$)`, 'uy');
const quoted = /(["'])((?:(?!\1)[^\\]|\\[^])*)\1/uy;
const trailingSpace = new RegExp(`${anySpace}+$`, 'u');
const escapes = /\\(?:([abfnrtv\\])|(\$)|0(\d{0,3}))/g;
const escaped: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/**
 * Reads the text of a `.env` file as Docker Compose 2 and 5 do; what they do is defined by the package `dotenv` of
 * https://github.com/compose-spec/compose-go, version 2.16.2, and described in
 * https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax.
 * `environment` is what a name alone takes its value from, and what overrides the file in `$NAME`.
 */
export function parseEnvFile(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): EnvFile {
  const values: Record<string, string> = {};
  const [problems, unset] = [[] as string[], new Set<string>()];
  const lookUp = (name: string) => environment[name] ?? values[name];
  const cursor = new Cursor(text.replace(/^\ufeff/, ''));
  try {
    for (cursor.take(beforeStatement); !cursor.isAtEnd(); cursor.take(beforeStatement)) {
      const name = takeName(cursor);
      const inherited = name.isAlone ? lookUp(name.text) : undefined;
      if (inherited !== undefined) values[name.text] = inherited;
      if (name.isAlone) continue;
      const line = cursor.line();
      const problem = (what: string) => problems.push(`line ${line}: ${name.text} ${what}`);
      values[name.text] = takeValue(cursor, { lookUp, isUnset: () => unset.add(name.text), problem });
    }
  } catch (error) {
    if (!(error instanceof NotReadable)) throw error;
    problems.push(error.message);
  }
  return { values, problems, unset: [...unset] };
}

/** The rest of the file cannot be read either. */
class NotReadable extends Error {}

class Cursor {
  private at = 0;
  constructor(private readonly text: string) {}

  /** What the sticky pattern matches here, or undefined; behind it the next one begins. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text) ?? undefined;
    this.at += match?.[0].length ?? 0;
    return match;
  }

  isAtEnd = (): boolean => this.at >= this.text.length;
  line = (): number => this.text.slice(0, this.at).split('\n').length;
}

function takeName(cursor: Cursor): { readonly text: string; readonly isAlone: boolean } {
  const line = cursor.line();
  if (cursor.take(exportWord) !== undefined && cursor.isAtEnd())
    throw new NotReadable(`line ${line}: export of nothing`);
  const match = cursor.take(nameAndSign);
  if (match === undefined) throw new NotReadable(`line ${line}: a character that no name can have`);
  const text = (match[1] ?? '').replace(trailingSpace, '');
  if (text.includes(' ')) throw new NotReadable(`line ${line}: a name with a space in it`);
  return { text, isAlone: match[2] === undefined };
}

function takeValue(cursor: Cursor, variables: Variables): string {
  const line = cursor.line();
  const match = cursor.take(quoted);
  if (match !== undefined) {
    const [, quote, inside = ''] = match;
    // Of the escapes in front of a quote only the backslash goes; all others are for double quotes alone.
    const content = inside.replace(/\\([^])/g, (pair, after: string) => (after === quote ? after : pair));
    return quote === '"' ? expandVariables(unescape(content), variables) : content;
  }
  const [rest = ''] = cursor.take(/[^\n]*/y) ?? [];
  if (/^["']/.test(rest)) throw new NotReadable(`line ${line}: a quote that is not closed`);
  const [value = ''] = rest.split(' #', 1);
  return expandVariables(value.replace(trailingSpace, ''), variables);
}

/** Go's escapes without `\x` and `\u`; `\$` becomes `$$`, which is no variable; `\0` and three octal digits are a character. */
const unescape = (text: string): string =>
  text.replace(escapes, (_, letter?: string, dollar?: string, octal?: string) => {
    if (letter !== undefined) return escaped[letter] ?? letter;
    if (dollar !== undefined) return '$$';
    return /^[0-3][0-7]{2}$/.test(octal ?? '') ? String.fromCharCode(parseInt(octal ?? '', 8)) : `\\${octal}`;
  });
