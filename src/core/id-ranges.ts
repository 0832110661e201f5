import type { IdRange } from './ports/bars.js';

/** Ranges in order that do not touch; both ends of each belong to it. */
export type IdRanges = readonly IdRange[];

/** How many ids there are in some ranges. */
export const countIds = (ranges: IdRanges): number =>
  ranges.reduce((sum, { firstId, lastId }) => sum + lastId - firstId + 1, 0);

/** The ids of `wanted` that are not in `taken`; both in order. */
export function subtractRanges(wanted: IdRanges, taken: IdRanges): IdRange[] {
  const left: IdRange[] = [];
  let at = 0;
  for (const { firstId, lastId } of wanted) {
    let next = firstId;
    while (at < taken.length && (taken[at]?.lastId ?? 0) < firstId) at += 1;
    // One that reaches beyond this range may reach into the next one too, so it is looked at again there.
    for (let index = at; index < taken.length && next <= lastId; index += 1) {
      const held = taken[index];
      if (held === undefined || held.firstId > lastId) break;
      if (held.firstId > next) left.push({ firstId: next, lastId: held.firstId - 1 });
      next = Math.max(next, held.lastId + 1);
    }
    if (next <= lastId) left.push({ firstId: next, lastId });
  }
  return left;
}

/** The ids that are in both. */
export const intersectRanges = (some: IdRanges, others: IdRanges): IdRange[] =>
  subtractRanges(some, subtractRanges(some, others));

/**
 * The next request that brings missing ids from `next` on: it begins with the first of them and ends with the last one that
 * the same answer can hold, so that small holes beside each other share one. Undefined where nothing is missing from there on.
 */
export function nextPage(missing: IdRanges, next: number, size: number): IdRange | undefined {
  const at = indexReaching(missing, next);
  const first = missing[at];
  if (first === undefined) return undefined;
  const firstId = Math.max(first.firstId, next);
  const end = firstId + size - 1;
  let { lastId } = first;
  for (let index = at + 1; (missing[index]?.firstId ?? Infinity) <= end; index += 1)
    lastId = missing[index]?.lastId ?? lastId;
  return { firstId, lastId: Math.min(lastId, end) };
}

/** Where the first range stands that reaches to this id or beyond it. */
export function indexReaching(ranges: IdRanges, id: number): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.lastId ?? Infinity) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many requests the ranges take when no id in them was left out by the exchange. */
export function countPages(missing: IdRanges, size: number): number {
  let [pages, covered] = [0, -1];
  for (const { firstId, lastId } of missing) {
    const from = Math.max(firstId, covered + 1);
    if (from > lastId) continue;
    const more = Math.ceil((lastId - from + 1) / size);
    pages += more;
    covered = from + more * size - 1;
  }
  return pages;
}

/** True where one of the ranges holds this id. */
export const holdsId = (ranges: IdRanges, id: number): boolean =>
  (ranges[indexReaching(ranges, id)]?.firstId ?? Infinity) <= id;

/** The ranges of some ids, which come in order. */
export function rangesOf(ids: Iterable<number>): IdRange[] {
  const ranges: { firstId: number; lastId: number }[] = [];
  for (const id of ids) {
    const last = ranges.at(-1);
    if (last?.lastId === id - 1) last.lastId = id;
    else ranges.push({ firstId: id, lastId: id });
  }
  return ranges;
}
