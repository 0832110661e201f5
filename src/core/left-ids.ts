import type { IdRange } from './ports/bars.js';

/**
 * Why ids are still missing. `never published`: the exchange answers with the ids around them. `not yet`: they are above its
 * newest. `refused`: the exchange has a row of them that cannot be counted. `not counted`: sent, and the time was over before
 * the job came to them. `later`: the request weight of this run was spent.
 */
export type LeftWhy = 'never published' | 'not yet' | 'refused' | 'not counted' | 'later';

/** Ids that could not be had, and why. */
export interface LeftIds extends IdRange {
  readonly why: LeftWhy;
  /** In words for a person, where more is known than `why` says. */
  readonly reason?: string | undefined;
}

/** Some ranges that are missing for the same reason. */
export const leftOf = (ranges: readonly IdRange[], why: LeftWhy, reason?: string): LeftIds[] =>
  ranges.map((range) => ({ ...range, why, ...(reason === undefined ? {} : { reason }) }));

/** In order of id; neighbours that are missing for the same reason become one. */
export function mergeLeft(left: readonly LeftIds[]): LeftIds[] {
  const merged: LeftIds[] = [];
  for (const next of [...left].sort((one, other) => one.firstId - other.firstId)) {
    const last = merged.at(-1);
    if (last?.lastId === next.firstId - 1 && last.why === next.why && last.reason === next.reason)
      merged[merged.length - 1] = { ...last, lastId: next.lastId };
    else merged.push(next);
  }
  return merged;
}
