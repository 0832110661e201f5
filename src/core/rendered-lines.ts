/** A file that a rendered text was made of. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** Where a line of a rendered text comes from; `isSame` where nothing was filled in, so that its columns are the same. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  readonly isSame: boolean;
}

const mustache = /\\?\{\{.*?\}\}/g;

/** True where a line of a template may have become this line. */
function matcherOf(line: string): (rendered: string) => boolean {
  if (!line.includes('{{')) return (rendered) => rendered === line;
  const parts = line.split(mustache).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  // A line that is nothing but a tag vanishes, or becomes many.
  if (parts.every((part) => part.trim() === '')) return () => false;
  const pattern = new RegExp(`^${parts.join('.*')}$`);
  return (rendered) => pattern.test(rendered);
}

/** For each line of `rendered` the line of `source` (from 0) that it is, as many as keep their order; -1 where there is none. */
function align(source: readonly string[], rendered: readonly string[]): number[] {
  const matches = source.map(matcherOf);
  const width = rendered.length + 1;
  // Lengths of the longest common sequence of what is left of both.
  const lengths = new Uint16Array((source.length + 1) * width);
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  const same = (row: number, column: number): boolean => matches[row]?.(rendered[column] ?? '') ?? false;
  for (let row = source.length - 1; row >= 0; row -= 1)
    for (let column = rendered.length - 1; column >= 0; column -= 1)
      lengths[row * width + column] = same(row, column)
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1));
  const lines = rendered.map(() => -1);
  for (let row = 0, column = 0; row < source.length && column < rendered.length;)
    if (same(row, column)) {
      lines[column] = row;
      [row, column] = [row + 1, column + 1];
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  return lines;
}

/**
 * Finds the line of a template, or of what it takes in, that became a line of the rendered text. Templates keep no account of
 * that; lines are told by what they hold, in their order, the template's own first.
 */
export function originOf(rendered: string, sources: readonly Source[], line: number): Origin | undefined {
  const lines = rendered.split('\n');
  for (const { file, text } of sources) {
    const own = text.split('\n');
    const found = align(own, lines)[line - 1] ?? -1;
    if (found >= 0) return { file, line: found + 1, isSame: own[found] === lines[line - 1] };
  }
  return undefined;
}
