/** What a file of Spark SQL holds, found without a parser: where statements end and which `:names` stand in them. */
export interface SqlText {
  /** In order; comments stay, the `;` between them does not. A script (`BEGIN … END`) is one statement. */
  readonly statements: readonly string[];
  /** Of `:name` parameters, each once, in order of appearance. */
  readonly parameters: readonly string[];
  /** The lines of comments before the first statement. */
  readonly header: readonly string[];
}

/**
 * Spark's own tokens (SqlBaseLexer.g4) as far as they hide a `;` or a `:`; the rest goes by word or character. A comment in
 * brackets may hold another one, so only its beginning is matched.
 */
const token = new RegExp(
  [
    String.raw`(?<comment>--(?:\\\r?\n|[^\r\n])*)`,
    String.raw`(?<bracket>/\*)`,
    String.raw`(?<text>[rR]'[^']*'|[rR]"[^"]*"|'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|\x60(?:[^\x60]|\x60\x60)*\x60)`,
    String.raw`(?<parameter>:[A-Za-z_]\w*)`,
    String.raw`(?<word>[\p{L}\p{N}_]+)`,
    String.raw`(?<space>\s+)`,
    String.raw`(?<other>::|[\s\S])`,
  ].join('|'),
  'uy',
);

/** The end of a comment in brackets that begins at `start`; the text's end where it is never closed. */
function endOfComment(sql: string, start: number): number {
  let depth = 0;
  for (const bracket of sql.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += bracket[0] === '/*' ? 1 : -1;
    if (depth === 0) return start + bracket.index + 2;
  }
  return sql.length;
}

interface Token {
  readonly kind: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (let start = 0; start < sql.length; start = tokens.at(-1)?.end ?? sql.length) {
    token.lastIndex = start;
    const groups: Readonly<Record<string, string | undefined>> = token.exec(sql)?.groups ?? {};
    const [kind = 'other'] = Object.entries(groups).find(([, value]) => value !== undefined) ?? [];
    const end = kind === 'bracket' ? endOfComment(sql, start) : token.lastIndex;
    tokens.push({ kind, value: sql.slice(start, end), end, start });
  }
  return tokens;
}

const isSilent = ({ kind }: Token): boolean => ['space', 'comment', 'bracket'].includes(kind);
/** `struct<a:INT>` names a field: there the colon follows right after what it belongs to. */
const takesColon = (before: Token | undefined): boolean =>
  before !== undefined && (['word', 'text'].includes(before.kind) || [')', ']'].includes(before.value));

/** Total: what it cannot make sense of is left to Spark's parser. */
export function readSqlText(sql: string): SqlText {
  const tokens = tokensOf(sql);
  const spoken = tokens.filter((one) => !isSilent(one));
  const parameters = tokens
    .filter((one, index) => one.kind === 'parameter' && !takesColon(tokens[index - 1]))
    .map(({ value }) => value.slice(1));
  const isScript = /^BEGIN$/i.test(spoken[0]?.value ?? '') && !/^TRANSACTION$/i.test(spoken[1]?.value ?? '');
  const ends = isScript ? [] : spoken.filter(({ value }) => value === ';').map(({ start }) => start);
  const pieces = [...ends, sql.length].map((end, index) => ({ start: (ends[index - 1] ?? -1) + 1, end }));
  const holdsWords = ({ start, end }: { start: number; end: number }): boolean =>
    spoken.some((one) => one.start >= start && one.end <= end && one.value !== ';');
  const head = sql.slice(0, spoken[0]?.start ?? sql.length);
  return {
    statements: pieces.filter(holdsWords).map(({ start, end }) => sql.slice(start, end).trim()),
    parameters: [...new Set(parameters)],
    header: head.split(/\r?\n/).filter((line) => line.trimStart().startsWith('--')),
  };
}
