import { beforeEach, describe, expect, it } from 'vitest';
import { queryRows } from '../../src/adapters/postgres.js';
import type { TestTrade } from '../support/count-trades.js';
import { history, trades, useWarehouse, type RebuildWorld } from '../support/rebuild-world.js';

let world: RebuildWorld;
const aWorld = useWarehouse();
beforeEach(() => {
  world = aWorld();
});

describe.each([{ are: 'there' }, { are: 'pruned' }])('where the counted trades are $are', ({ are }) => {
  const countAll = async (): Promise<void> => {
    await world.count(history);
    if (are === 'there') await world.keep(history);
  };

  it('every minute of a lake that holds all of them is equal', async () => {
    await countAll();
    expect(await world.rebuild(history)).toEqual({
      0: 'equal',
      1: 'equal',
      2: 'equal',
      4: 'equal',
      5: 'equal',
    });
    expect(await world.booked()).toEqual([]);
  });

  it('names each field of a spoiled bar, and mends exactly that bar, final as before', async () => {
    await countAll();
    const [before, covered] = [await world.bars(), await world.coverage()];
    await world.spoil(1, `volume = volume + 1, close_price = 7`);
    await world.spoil(2, `first_agg_trade_id = 1`);
    expect(await world.rebuild(history)).toMatchObject({
      0: 'equal',
      1: 'different',
      2: 'different',
      4: 'equal',
    });
    const differences = [
      { field: 'close_price', warehouse: '7.00000000', lake: '102.50000000' },
      { field: 'volume', warehouse: '2.00000000', lake: '1.00000000' },
    ];
    expect(await world.booked()).toMatchObject([
      { minute: 1, verdict: 'different', differences },
      { minute: 2, differences: [{ field: 'first_agg_trade_id', warehouse: '1', lake: '17' }] },
    ]);
    expect(await world.rebuild(history, { replace: true })).toMatchObject({
      1: 'different',
      2: 'different',
      4: 'equal',
    });
    expect(await world.booked()).toMatchObject([
      { minute: 1, verdict: 'replaced', differences },
      { minute: 2, verdict: 'replaced' },
    ]);
    expect(await world.bars()).toEqual(before);
    expect(await world.coverage()).toEqual(covered);
    expect(await world.rebuild(history, { replace: true, runId: `${world.symbol} again` })).toMatchObject({
      1: 'equal',
    });
    expect(await world.booked(`${world.symbol} again`)).toEqual([]);
  });

  it('makes a bar that is missing, and removes one of a minute in which nothing was traded', async () => {
    await countAll();
    const before = await world.bars();
    await world.spoil(2, 'DELETE');
    await world.spoil(
      5,
      `window_start = window_start - interval '2 minutes', window_end = window_end - interval '2 minutes'`,
    );
    expect(await world.rebuild(history, { replace: true, known: [3] })).toMatchObject({
      ...{ 0: 'equal', 1: 'equal', 2: 'different', 3: 'different', 4: 'equal', 5: 'different' },
    });
    expect(await world.bars()).toEqual(before);
    expect(await world.booked()).toMatchObject([
      { minute: 2, differences: [{ field: 'bar', warehouse: 'missing', lake: 'there' }] },
      { minute: 3, differences: [{ field: 'bar', warehouse: 'there', lake: 'nothing was traded' }] },
      { minute: 5 },
    ]);
  });

  it('stays replaced when the answer to its commit was lost and it is done a second time', async () => {
    await countAll();
    await world.spoil(1, 'trade_count = 1');
    await world.rebuild(history, { replace: true });
    expect(await world.rebuild(history, { replace: true })).toMatchObject({ 1: 'equal' });
    expect(await world.booked()).toMatchObject([{ minute: 1, verdict: 'replaced' }]);
  });

  it('keeps a neutralised row among the ids, not in the bar', async () => {
    const withNeutralised = [
      ...history.filter(({ id }) => id !== 14 && id !== 19),
      ...trades(1, 14, 14, true),
      ...trades(3, 19, 19, true),
    ];
    await world.count(withNeutralised);
    if (are === 'there') await world.keep(withNeutralised);
    expect(await world.rebuild(withNeutralised)).toEqual({
      0: 'equal',
      1: 'equal',
      2: 'equal',
      3: 'equal',
      4: 'equal',
      5: 'equal',
    });
    await world.rebuild(withNeutralised.filter(({ id }) => id !== 14));
    expect(await world.refused()).toEqual([[1, 'missing ids', '{[14,15)}']]);
  });
});

describe('a minute is refused', () => {
  const lost = (...ids: number[]): TestTrade[] => history.filter(({ id }) => !ids.includes(id));

  it('for exactly the ids that were counted in it and that the lake does not have', async () => {
    await world.count(history);
    await world.keep(history);
    await world.spoil(1, 'volume = 0');
    const before = await world.bars();
    // Ids at the edge of a minute: their own minute is refused, its neighbour is not.
    expect(await world.rebuild(lost(13, 16, 22), { replace: true })).toEqual({
      ...{ 0: 'equal', 1: 'refused', 2: 'equal', 4: 'refused', 5: 'equal' },
    });
    expect(await world.refused()).toEqual([
      [1, 'missing ids', '{[13,14),[16,17)}'],
      [4, 'missing ids', '{[22,23)}'],
    ]);
    expect(await world.bars()).toEqual(before);
  });

  it('with its neighbour, where the counted trades are pruned and an id between them may lie in either', async () => {
    await world.count(history);
    expect(await world.rebuild(lost(14))).toEqual({
      0: 'equal',
      1: 'refused',
      2: 'equal',
      4: 'equal',
      5: 'equal',
    });
    await world.rebuild(lost(16));
    expect(await world.refused()).toEqual([
      [1, 'missing ids', '{[16,17)}'],
      [2, 'missing ids', '{[16,17)}'],
    ]);
  });

  it('where the lake has nothing of it at all, and the minutes beside it only when nobody knows better', async () => {
    await world.count(history);
    const known = [1, 2];
    await world.rebuild(lost(13, 14, 15, 16, 17, 18, 19), { known });
    expect((await world.booked()).map(({ minute }) => minute)).toEqual([0, 1, 2, 4]);
    await world.keep(history);
    await world.rebuild(lost(13, 14, 15, 16, 17, 18, 19), { known, runId: 'kept' });
    expect((await world.booked('kept')).map(({ minute, missing }) => [minute, missing])).toEqual([
      [1, '{[13,17)}'],
      [2, '{[17,20)}'],
    ]);
  });

  it('at the edges of all ids, where the lake begins later or ends earlier than the coverage', async () => {
    await world.count(history);
    await world.rebuild(lost(10, 23));
    expect(await world.refused()).toEqual([
      [0, 'missing ids', '{[10,11)}'],
      [4, 'missing ids', '{[23,24)}'],
    ]);
  });

  it('where ids would be put into it that nobody has counted', async () => {
    await world.count(history);
    const before = await world.bars();
    await world.rebuild([...history, ...trades(5, 24)], { replace: true });
    expect(await world.refused()).toEqual([[5, 'uncounted ids', '{}']]);
    expect(await world.bars()).toEqual(before);
  });

  it("where the lake's trade is not the counted one", async () => {
    await world.count(history);
    await world.keep(history);
    await world.spoil(1, 'volume = 0');
    const other = history.map((trade) => (trade.id === 15 ? { ...trade, price: 99 } : trade));
    expect(await world.rebuild(other, { replace: true })).toMatchObject({
      0: 'equal',
      1: 'refused',
      2: 'equal',
    });
    expect(await world.refused()).toEqual([[1, 'other content', '{}']]);
  });

  it("where the lake's trade lies in another minute than the counted one: both minutes", async () => {
    await world.count(history);
    await world.keep(history);
    const other = history.map((trade) => (trade.id === 17 ? { ...trade, time: trade.time - 60_000 } : trade));
    await world.rebuild(other);
    expect(await world.refused()).toEqual([
      [1, 'other content', '{}'],
      [2, 'other content', '{}'],
    ]);
    await queryRows(
      world.pool,
      `DELETE FROM crypto.crypto_prices_clean WHERE symbol = $1 AND agg_trade_id <> 17`,
      [world.symbol],
    );
    await world.rebuild(other, { runId: 'one is known' });
    expect((await world.booked('one is known')).map(({ minute, reason }) => [minute, reason])).toEqual([
      [1, 'other content'],
      [2, 'other content'],
    ]);
  });

  it('where some of its trades are pruned and some are not', async () => {
    await world.count(history);
    await world.keep(trades(1, 13));
    expect(await world.rebuild(history)).toMatchObject({ 0: 'equal', 1: 'refused', 2: 'equal' });
    expect(await world.refused()).toEqual([[1, 'partly pruned', '{}']]);
  });

  it('where the lake has an id with several contents and the counted one is pruned', async () => {
    await world.count(history);
    expect(await world.rebuild(history, { several: [15] })).toMatchObject({
      0: 'equal',
      1: 'refused',
      2: 'equal',
    });
    expect(await world.refused()).toEqual([[1, 'several contents', '{}']]);
    await world.keep(history);
    expect(await world.rebuild(history, { several: [15], runId: 'kept' })).toMatchObject({ 1: 'equal' });
  });

  it('with all that interleave, where ids are not in order of time', async () => {
    const disordered = [
      ...trades(0, 1),
      ...trades(1, 2),
      ...trades(2, 3),
      ...trades(1, 4),
      ...trades(2, 5),
      ...trades(3, 6),
      ...trades(4, 7),
    ];
    await world.count(disordered);
    expect(await world.rebuild(disordered)).toEqual({
      0: 'equal',
      1: 'equal',
      2: 'equal',
      3: 'equal',
      4: 'equal',
    });
    await world.rebuild(disordered.filter(({ id }) => id !== 3));
    expect((await world.refused()).map((row) => (row as unknown[])[0])).toEqual([1, 2]);
  });
});
