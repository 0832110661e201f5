import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileHoles } from '../../../src/sandbox/archive/archive-holes.js';

describe('holes in an archive file', () => {
  it('lie inside, apart from each other, 1 to 600 rows long, and are as many as asked for', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 0, max: 1e12 }),
        fc.integer({ min: 100, max: 5e6 }),
        fc.integer({ min: 0, max: 25 }),
        (name, from, length, count) => {
          const end = from + length;
          const holes = fileHoles(name, { from, end }, count);
          expect(holes).toHaveLength(count);
          let before = from;
          for (const hole of holes) {
            expect(hole.from).toBeGreaterThan(before);
            expect(hole.end - hole.from).toBeGreaterThanOrEqual(1);
            expect(hole.end - hole.from).toBeLessThanOrEqual(600);
            before = hole.end;
          }
          expect(before).toBeLessThan(end);
        },
      ),
    );
  });

  it('are the same for the same name and others for another', () => {
    const rows = { from: 0, end: 100_000 };
    expect(fileHoles('a', rows, 3)).toEqual(fileHoles('a', rows, 3));
    expect(fileHoles('a', rows, 3)).not.toEqual(fileHoles('b', rows, 3));
  });
});
