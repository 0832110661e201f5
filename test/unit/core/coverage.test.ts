import fc from 'fast-check';
import { expect, it } from 'vitest';
import { holesBetween, isCovered } from '../../../src/core/coverage.js';
import type { IdRange } from '../../../src/core/ports/bars.js';

/** Some ids of 0 to 60, and the same as ranges, as the warehouse gives them. */
const covered = fc.uniqueArray(fc.integer({ min: 0, max: 60 })).map((ids) => {
  const sorted = ids.sort((left, right) => left - right);
  const ranges: IdRange[] = [];
  for (const id of sorted) {
    const last = ranges.at(-1);
    if (last?.lastId === id - 1) ranges[ranges.length - 1] = { ...last, lastId: id };
    else ranges.push({ firstId: id, lastId: id });
  }
  return { ids: new Set(sorted), ranges };
});
const pair = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 }))
  .map(([first, length]): [number, number] => [first, first + length]);
const between = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

it('a stretch is covered if every one of its ids is', () => {
  fc.assert(
    fc.property(covered, pair, ({ ids, ranges }, [first, last]) => {
      expect(isCovered(ranges, first, last)).toBe(between(first, last).every((id) => ids.has(id)));
    }),
  );
});

it('the holes between two trades are the missing ids inside the coverage, whole where they reach beyond', () => {
  fc.assert(
    fc.property(covered, pair, ({ ids, ranges }, [before, after]) => {
      const missing = between(ranges[0]?.firstId ?? 0, ranges.at(-1)?.lastId ?? -1).filter(
        (id) => !ids.has(id),
      );
      const holes = holesBetween(ranges, before, after);
      const listed = holes.flatMap(({ firstId, lastId }) => between(firstId, lastId));
      expect(missing.filter((id) => id > before && id < after).every((id) => listed.includes(id))).toBe(true);
      expect(listed.every((id) => missing.includes(id))).toBe(true);
      for (const { firstId, lastId } of holes)
        expect([lastId > before, firstId < after]).toEqual([true, true]);
    }),
  );
});

it('without ends, all holes are listed', () => {
  const ranges = [1, 5, 9].map((id) => ({ firstId: id, lastId: id + 1 }));
  expect(holesBetween(ranges, undefined, undefined)).toEqual([
    { firstId: 3, lastId: 4 },
    { firstId: 7, lastId: 8 },
  ]);
});
