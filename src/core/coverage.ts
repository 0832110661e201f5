import { indexReaching } from './id-ranges.js';
import type { IdRange } from './ports/bars.js';

/** True where one single range of the coverage has every id from `first` to `last`; ranges are in order and apart. */
export function isCovered(coverage: readonly IdRange[], first: number, last: number): boolean {
  const range = coverage[indexReaching(coverage, first)];
  return range !== undefined && range.firstId <= first && last <= range.lastId;
}

/** The ids missing between two trades, as ranges; the trades themselves count as what they border. */
export function holesBetween(
  coverage: readonly IdRange[],
  before: number | undefined,
  after: number | undefined,
): IdRange[] {
  const holes: IdRange[] = [];
  const start = before === undefined ? 0 : Math.max(0, indexReaching(coverage, before) - 1);
  for (let index = start + 1; index < coverage.length; index += 1) {
    const firstId = (coverage[index - 1]?.lastId ?? -1) + 1;
    const lastId = (coverage[index]?.firstId ?? 0) - 1;
    if (after !== undefined && firstId >= after) break;
    if (before === undefined || lastId > before) holes.push({ firstId, lastId });
  }
  return holes;
}
