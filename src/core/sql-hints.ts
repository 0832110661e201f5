/** What people write for other databases, or forget, and what to write for Spark. */
const hints: readonly (readonly [message: RegExp, line: RegExp, hint: string])[] = [
  [/'\]'/, /::\s*\w+\s*\[/, 'Spark writes the type of an array as ARRAY<BIGINT>.'],
  [
    /'CONFLICT'/i,
    /ON\s+CONFLICT/i,
    'Spark has no ON CONFLICT: select the rows, and let `submit sql --to` upsert them.',
  ],
  [
    /^ON is taken/i,
    /DISTINCT\s+ON/i,
    'Spark has no DISTINCT ON: take max_by(…), or row_number() in a step before.',
  ],
  [/^FROM is taken/i, /FROM/i, 'Most often there is a comma too much right before it.'],
  [
    /extra input/,
    /^\s*(SELECT|INSERT|CREATE|WITH|SET|DROP)\b/i,
    'A file is one statement: make views steps of WITH, or write BEGIN … END.',
  ],
  [/Unsupported data type "TEXT"/i, /TEXT/i, 'Spark calls it STRING.'],
  [/''''|'"'|'`'/, /['"`]/, 'A quote is opened and not closed.'],
  [/is used and not given/, /:/, 'Give it with -p name=value.'],
];

/** What to do about a message of Spark's parser, where that is known. `line` is the line that it is about. */
export function sqlHint(message: string, line: string): string | undefined {
  return hints.find(([said, written]) => said.test(message) && written.test(line))?.[2];
}
