import fc from 'fast-check';
import pg from 'pg';
import { beforeEach, describe, expect, it } from 'vitest';
import { queryRows } from '../../src/adapters/postgres.js';
import { begin, history, trades, useWarehouse, type RebuildWorld } from '../support/rebuild-world.js';

let world: RebuildWorld;
const aWorld = useWarehouse();
beforeEach(() => {
  world = aWorld();
});

describe('a ticker', () => {
  it('is rebuilt by its slots like any other source', async () => {
    world = aWorld('test-ticker-5000');
    await world.count(trades(0, 1, 12), trades(1, 13, 20), trades(2, 25, 36));
    await world.spoil(1, 'close_price = 7');
    const lake = [...trades(0, 1, 12), ...trades(1, 13, 20), ...trades(2, 25, 36)];
    const before = await world.bars();
    expect(await world.rebuild(lake, { replace: true })).toEqual({ 0: 'equal', 1: 'different', 2: 'equal' });
    expect(await world.bars()).not.toEqual(before);
    expect(await world.rebuild(lake, { runId: 'again' })).toEqual({ 0: 'equal', 1: 'equal', 2: 'equal' });
    expect(await world.rebuild(lake.slice(1))).toMatchObject({ 0: 'refused', 1: 'equal' });
  });
});

describe('beside a stream', () => {
  it('waits for the batch that counts into its minute, and sees what it counted', async () => {
    await world.count(history);
    await world.spoil(5, 'volume = 0');
    const [stream, job] = [new pg.Client(world.address), new pg.Client(world.address)];
    await Promise.all([stream.connect(), job.connect()]);
    await stream.query('BEGIN');
    const wanted = JSON.stringify([{ source: world.source, symbol: world.symbol, ids: '{[24,24]}' }]);
    await stream.query('SELECT crypto.lock_coverage($1)', [wanted]);
    let isDone = false;
    const running = world.rebuild(history, { replace: true, client: job }).then((found) => {
      isDone = true;
      return found;
    });
    await expect
      .poll(
        async () =>
          (
            await queryRows<{ n: number }>(world.pool, `SELECT count(*) AS n FROM pg_locks WHERE NOT granted`)
          )[0]?.n,
      )
      .toBeGreaterThan(0);
    expect(isDone).toBe(false);
    await stream.query('SELECT crypto.cover($1)', [wanted]);
    await stream.query('COMMIT');
    // Id 24 is counted now, and the lake as it was read does not have it: where it lies nobody can tell.
    expect(await running).toMatchObject({ 2: 'equal', 4: 'equal', 5: 'refused' });
    expect(await world.refused()).toEqual([[5, 'missing ids', '{[24,25)}']]);
    await Promise.all([stream.end(), job.end()]);
  });
});

describe('rebuilding', () => {
  /** Trades in order of id and time, some neutralised, some missing. */
  const histories = fc.array(
    fc.record({
      minutes: fc.constantFrom(0, 0, 0, 1, 1, 2),
      price: fc.integer({ min: 1, max: 999 }),
      kind: fc.constantFrom('trade', 'trade', 'trade', 'neutralised', 'uncounted'),
      isLost: fc.boolean(),
      isSpoiled: fc.boolean(),
    }),
    { minLength: 2, maxLength: 25 },
  );

  it('mends exactly the minutes whose every id the lake holds, and changes no other row, for any history', async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.boolean(), async (steps, isPruned) => {
        world = aWorld();
        let minute = 0;
        const all = steps.map(({ minutes, price, kind, ...more }, index) => {
          minute += minutes;
          const time = begin + minute * 60_000 + index;
          return { id: 5 + index, time, price, isNeutralised: kind === 'neutralised', kind, minute, ...more };
        });
        const counted = all.filter(({ kind }) => kind !== 'uncounted');
        if (counted.length === 0) return;
        await world.count(counted);
        if (!isPruned) await world.keep(counted);
        const before = await world.bars();
        const spoiled = new Set(
          counted
            .filter(({ isSpoiled, isNeutralised }) => isSpoiled && !isNeutralised)
            .map((trade) => trade.minute),
        );
        for (const one of spoiled) await world.spoil(one, 'volume = volume + 1');
        const lossy = counted.filter(({ isLost, id }) => !isLost || id % 2 === 0);
        const known = [...new Set(counted.map((trade) => trade.minute))];
        const found = await world.rebuild(lossy, { replace: true, known });
        const lostMinutes = new Set(
          counted.filter((trade) => !lossy.includes(trade)).map((trade) => trade.minute),
        );
        for (const one of known) {
          if (lostMinutes.has(one)) expect(found[one]).toBe('refused');
          else if (!isPruned || found[one] !== 'refused')
            expect(found[one]).toBe(spoiled.has(one) ? 'different' : 'equal');
        }
        // With the whole lake all the others are mended too, and everything is as it was, final bars too.
        await world.rebuild(counted, { replace: true, known, runId: `${world.symbol} whole` });
        expect(await world.bars()).toEqual(before);
      }),
      { numRuns: 60 },
    );
  });
});
