import { hash, keyFor, keyOf } from '../tapes/hash.js';

const LONGEST_HOLE = 600;

/** Positions that a file lacks; `end` is not included. */
export interface FileHole {
  readonly from: number;
  readonly end: number;
}

/**
 * So many stretches of a file's rows, from its name alone: one in each equal part of it, 1 to 600 rows long, and at
 * most half as long as its part, so that no two touch.
 */
export function fileHoles(
  name: string,
  rows: { readonly from: number; readonly end: number },
  count: number,
): FileHole[] {
  const key = keyOf(name);
  const part = Math.floor((rows.end - rows.from) / Math.max(1, count));
  if (part < 4) return [];
  return Array.from({ length: count }, (_, index) => {
    const longest = Math.min(LONGEST_HOLE, Math.floor(part / 2));
    const length = 1 + (hash(keyFor(key, 'length'), index) % longest);
    const from = rows.from + index * part + 1 + (hash(keyFor(key, 'place'), index) % (part - length - 1));
    return { from, end: from + length };
  });
}
