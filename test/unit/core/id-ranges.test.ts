import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countIds,
  countPages,
  holdsId,
  intersectRanges,
  nextPage,
  rangesOf,
  subtractRanges,
} from '../../../src/core/id-ranges.js';
import type { IdRange } from '../../../src/core/ports/bars.js';

const range = (firstId: number, lastId: number) => ({ firstId, lastId });
const idsOf = (ranges: readonly { firstId: number; lastId: number }[]): number[] =>
  ranges.flatMap(({ firstId, lastId }) =>
    Array.from({ length: lastId - firstId + 1 }, (_, i) => firstId + i),
  );
const someIds = fc
  .uniqueArray(fc.integer({ min: 0, max: 60 }))
  .map((ids) => [...ids].sort((one, other) => one - other));

describe('ranges of ids', () => {
  it('are made of ids in order, and hold exactly these', () => {
    fc.assert(
      fc.property(someIds, (ids) => {
        const ranges = rangesOf(ids);
        expect(idsOf(ranges)).toEqual(ids);
        expect(countIds(ranges)).toBe(ids.length);
        for (let id = 0; id <= 61; id += 1) expect(holdsId(ranges, id)).toBe(ids.includes(id));
      }),
    );
  });

  it('are subtracted and intersected as sets are', () => {
    fc.assert(
      fc.property(someIds, someIds, (some, others) => {
        const [left, right] = [rangesOf(some), rangesOf(others)];
        expect(subtractRanges(left, right)).toEqual(rangesOf(some.filter((id) => !others.includes(id))));
        expect(intersectRanges(left, right)).toEqual(rangesOf(some.filter((id) => others.includes(id))));
      }),
    );
  });

  it('give an end that is not known yet as infinite', () => {
    expect(subtractRanges([range(5, 9)], [range(8, Infinity)])).toEqual([range(5, 7)]);
  });
});

describe('the pages of what is missing', () => {
  it('begin with a missing id and share small holes that lie near', () => {
    const missing = [range(10, 12), range(900, 1200), range(5000, 7500)];
    expect(nextPage(missing, 0, 1000)).toEqual(range(10, 1009));
    expect(nextPage(missing, 1010, 1000)).toEqual(range(1010, 1200));
    expect(nextPage(missing, 1201, 1000)).toEqual(range(5000, 5999));
    expect(nextPage(missing, 7501, 1000)).toBeUndefined();
    expect(nextPage([range(10, 12), range(40, 41), range(5000, 5000)], 0, 1000)).toEqual(range(10, 41));
  });

  it('are as many as are counted beforehand', () => {
    fc.assert(
      fc.property(someIds, fc.integer({ min: 1, max: 12 }), (ids, size) => {
        const missing = rangesOf(ids);
        const pages: IdRange[] = [];
        for (let page = nextPage(missing, 0, size); page; page = nextPage(missing, page.lastId + 1, size))
          pages.push(page);
        expect(pages).toHaveLength(countPages(missing, size));
        expect(ids.every((id) => holdsId(pages, id))).toBe(true);
        expect(pages.every(({ firstId, lastId }) => ids.includes(firstId) && ids.includes(lastId))).toBe(
          true,
        );
      }),
    );
  });
});
