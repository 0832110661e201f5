import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows, type PostgresAddress } from '../../src/adapters/postgres.js';
import { countBatch, keepTrades, type TestTrade } from '../support/count-trades.js';
import { lakeMinutes } from '../support/lake-minutes.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

const begin = Date.UTC(2024, 7, 8, 12);
let source = 'test';
let server: TestPostgres;
let address: PostgresAddress;
let pool: pg.Pool;
let symbol: string;
let made = 0;

beforeAll(async () => {
  server = await startPostgres();
  address = await server.database();
  pool = createPool(address);
  const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
  await createSchema(pool, names).migrate();
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});
beforeEach(() => {
  symbol = `S${(made += 1)}`;
  source = 'test';
});

/** Trades of one minute, with the ids from `first` to `last`. */
const trades = (minute: number, first: number, last = first, isNeutralised = false): TestTrade[] =>
  Array.from({ length: last - first + 1 }, (_, index) => ({
    id: first + index,
    time: begin + minute * 60_000 + index,
    price: 100 + ((first + index) % 7),
    isNeutralised,
  }));
const count = (...batch: readonly TestTrade[][]): Promise<void> =>
  countBatch(pool, symbol, batch.flat(), source);
const keep = (...kept: readonly TestTrade[][]): Promise<void> =>
  keepTrades(pool, symbol, kept.flat(), source);

interface Booked {
  readonly minute: number;
  readonly verdict: string;
  readonly reason: string | null;
  readonly missing: string;
  readonly differences: unknown;
}

/** What a run finds, in order of the minutes; equal ones are only returned, not booked. */
async function rebuild(
  lake: readonly TestTrade[],
  options: {
    readonly replace?: boolean;
    readonly runId?: string;
    readonly known?: readonly number[];
    readonly several?: readonly number[];
    readonly client?: pg.ClientBase;
  } = {},
): Promise<Record<number, string>> {
  const { held, minutes } = lakeMinutes(source, symbol, lake, {
    ...options,
    known: (options.known ?? []).map((minute) => begin + minute * 60_000),
  });
  const { rows } = await (options.client ?? pool).query<{ minute: number; verdict: string }>(
    `SELECT ((extract(epoch FROM window_start) * 1000 - $7) / 60000)::int AS minute, verdict
     FROM crypto.rebuild_minutes($1, $2, $3, $4, $5, $6) ORDER BY window_start`,
    [options.runId ?? symbol, source, symbol, held, minutes, options.replace ?? false, begin],
  );
  return Object.fromEntries(rows.map(({ minute, verdict }) => [minute, verdict]));
}

const booked = (runId = symbol): Promise<Booked[]> =>
  queryRows<Booked & pg.QueryResultRow>(
    pool,
    `SELECT ((extract(epoch FROM window_start) * 1000 - $2) / 60000)::int AS minute, verdict, reason,
       missing_ids::text AS missing, differences
     FROM crypto.rebuilt_minutes WHERE run_id = $1 ORDER BY window_start`,
    [runId, begin],
  );
const refused = async (): Promise<unknown[]> =>
  (await booked())
    .filter(({ verdict }) => verdict === 'refused')
    .map(({ minute, reason, missing }) => [minute, reason, missing]);

/** Bars without the times at which they were written. */
const bars = (): Promise<unknown[]> =>
  queryRows(
    pool,
    `SELECT to_jsonb(bar) - 'updated_at' - 'finalized_at' AS bar, finalized_at IS NOT NULL AS is_final
     FROM crypto.crypto_prices_agg_1min AS bar WHERE symbol = $1 ORDER BY window_start`,
    [symbol],
  );
const coverage = (): Promise<unknown[]> =>
  queryRows(pool, 'SELECT ids FROM crypto.coverage WHERE symbol = $1', [symbol]);

/** As somebody with all rights who has switched off the guard: the only way in which a final bar becomes wrong. */
async function spoil(minute: number, change: string): Promise<void> {
  const client = new pg.Client(address);
  await client.connect();
  await client.query(`SET session_replication_role = replica`);
  const { rowCount } = await client.query(
    `${change.startsWith('DELETE') ? change : `UPDATE crypto.crypto_prices_agg_1min SET ${change}`}
     WHERE symbol = '${symbol}' AND window_start = to_timestamp(${(begin + minute * 60_000) / 1000})`,
  );
  await client.end();
  expect(rowCount).toBe(1);
}

const history = [
  ...trades(0, 10, 12),
  ...trades(1, 13, 16),
  ...trades(2, 17, 19),
  ...trades(4, 20, 22),
  ...trades(5, 23),
];

describe.each([{ are: 'there' }, { are: 'pruned' }])('where the counted trades are $are', ({ are }) => {
  const countAll = async (): Promise<void> => {
    await count(history);
    if (are === 'there') await keep(history);
  };

  it('every minute of a lake that holds all of them is equal', async () => {
    await countAll();
    expect(await rebuild(history)).toEqual({ 0: 'equal', 1: 'equal', 2: 'equal', 4: 'equal', 5: 'equal' });
    expect(await booked()).toEqual([]);
  });

  it('names each field of a spoiled bar, and mends exactly that bar, final as before', async () => {
    await countAll();
    const [before, covered] = [await bars(), await coverage()];
    await spoil(1, `volume = volume + 1, close_price = 7`);
    await spoil(2, `first_agg_trade_id = 1`);
    expect(await rebuild(history)).toMatchObject({ 0: 'equal', 1: 'different', 2: 'different', 4: 'equal' });
    const differences = [
      { field: 'close_price', warehouse: '7.00000000', lake: '102.50000000' },
      { field: 'volume', warehouse: '2.00000000', lake: '1.00000000' },
    ];
    expect(await booked()).toMatchObject([
      { minute: 1, verdict: 'different', differences },
      { minute: 2, differences: [{ field: 'first_agg_trade_id', warehouse: '1', lake: '17' }] },
    ]);
    expect(await rebuild(history, { replace: true })).toMatchObject({
      1: 'different',
      2: 'different',
      4: 'equal',
    });
    expect(await booked()).toMatchObject([
      { minute: 1, verdict: 'replaced', differences },
      { minute: 2, verdict: 'replaced' },
    ]);
    expect(await bars()).toEqual(before);
    expect(await coverage()).toEqual(covered);
    expect(await rebuild(history, { replace: true, runId: `${symbol} again` })).toMatchObject({ 1: 'equal' });
    expect(await booked(`${symbol} again`)).toEqual([]);
  });

  it('makes a bar that is missing, and removes one of a minute in which nothing was traded', async () => {
    await countAll();
    const before = await bars();
    await spoil(2, 'DELETE FROM crypto.crypto_prices_agg_1min');
    await spoil(
      5,
      `window_start = window_start - interval '2 minutes', window_end = window_end - interval '2 minutes'`,
    );
    expect(await rebuild(history, { replace: true, known: [3] })).toMatchObject({
      ...{ 0: 'equal', 1: 'equal', 2: 'different', 3: 'different', 4: 'equal', 5: 'different' },
    });
    expect(await bars()).toEqual(before);
    expect(await booked()).toMatchObject([
      { minute: 2, differences: [{ field: 'bar', warehouse: 'missing', lake: 'there' }] },
      { minute: 3, differences: [{ field: 'bar', warehouse: 'there', lake: 'nothing was traded' }] },
      { minute: 5 },
    ]);
  });

  it('stays replaced when the answer to its commit was lost and it is done a second time', async () => {
    await countAll();
    await spoil(1, 'trade_count = 1');
    await rebuild(history, { replace: true });
    expect(await rebuild(history, { replace: true })).toMatchObject({ 1: 'equal' });
    expect(await booked()).toMatchObject([{ minute: 1, verdict: 'replaced' }]);
  });

  it('keeps a neutralised row among the ids, not in the bar', async () => {
    const withNeutralised = [
      ...history.filter(({ id }) => id !== 14 && id !== 19),
      ...trades(1, 14, 14, true),
      ...trades(3, 19, 19, true),
    ];
    await count(withNeutralised);
    if (are === 'there') await keep(withNeutralised);
    expect(await rebuild(withNeutralised)).toEqual({
      0: 'equal',
      1: 'equal',
      2: 'equal',
      3: 'equal',
      4: 'equal',
      5: 'equal',
    });
    await rebuild(withNeutralised.filter(({ id }) => id !== 14));
    expect(await refused()).toEqual([[1, 'missing ids', '{[14,15)}']]);
  });
});

describe('a minute is refused', () => {
  const lost = (...ids: number[]): TestTrade[] => history.filter(({ id }) => !ids.includes(id));

  it('for exactly the ids that were counted in it and that the lake does not have', async () => {
    await count(history);
    await keep(history);
    await spoil(1, 'volume = 0');
    const before = await bars();
    // Ids at the edge of a minute: their own minute is refused, its neighbour is not.
    expect(await rebuild(lost(13, 16, 22), { replace: true })).toEqual({
      ...{ 0: 'equal', 1: 'refused', 2: 'equal', 4: 'refused', 5: 'equal' },
    });
    expect(await refused()).toEqual([
      [1, 'missing ids', '{[13,14),[16,17)}'],
      [4, 'missing ids', '{[22,23)}'],
    ]);
    expect(await bars()).toEqual(before);
  });

  it('with its neighbour, where the counted trades are pruned and an id between them may lie in either', async () => {
    await count(history);
    expect(await rebuild(lost(14))).toEqual({ 0: 'equal', 1: 'refused', 2: 'equal', 4: 'equal', 5: 'equal' });
    await rebuild(lost(16));
    expect(await refused()).toEqual([
      [1, 'missing ids', '{[16,17)}'],
      [2, 'missing ids', '{[16,17)}'],
    ]);
  });

  it('where the lake has nothing of it at all, and the minutes beside it only when nobody knows better', async () => {
    await count(history);
    const known = [1, 2];
    await rebuild(lost(13, 14, 15, 16, 17, 18, 19), { known });
    expect((await booked()).map(({ minute }) => minute)).toEqual([0, 1, 2, 4]);
    await keep(history);
    await rebuild(lost(13, 14, 15, 16, 17, 18, 19), { known, runId: 'kept' });
    expect((await booked('kept')).map(({ minute, missing }) => [minute, missing])).toEqual([
      [1, '{[13,17)}'],
      [2, '{[17,20)}'],
    ]);
  });

  it('at the edges of all ids, where the lake begins later or ends earlier than the coverage', async () => {
    await count(history);
    await rebuild(lost(10, 23));
    expect(await refused()).toEqual([
      [0, 'missing ids', '{[10,11)}'],
      [4, 'missing ids', '{[23,24)}'],
    ]);
  });

  it('where ids would be put into it that nobody has counted', async () => {
    await count(history);
    const before = await bars();
    await rebuild([...history, ...trades(5, 24)], { replace: true });
    expect(await refused()).toEqual([[5, 'uncounted ids', '{}']]);
    expect(await bars()).toEqual(before);
  });

  it("where the lake's trade is not the counted one", async () => {
    await count(history);
    await keep(history);
    await spoil(1, 'volume = 0');
    const other = history.map((trade) => (trade.id === 15 ? { ...trade, price: 99 } : trade));
    expect(await rebuild(other, { replace: true })).toMatchObject({ 0: 'equal', 1: 'refused', 2: 'equal' });
    expect(await refused()).toEqual([[1, 'other content', '{}']]);
  });

  it("where the lake's trade lies in another minute than the counted one: both minutes", async () => {
    await count(history);
    await keep(history);
    const other = history.map((trade) => (trade.id === 17 ? { ...trade, time: trade.time - 60_000 } : trade));
    await rebuild(other);
    expect(await refused()).toEqual([
      [1, 'other content', '{}'],
      [2, 'other content', '{}'],
    ]);
    await queryRows(pool, `DELETE FROM crypto.crypto_prices_clean WHERE symbol = $1 AND agg_trade_id <> 17`, [
      symbol,
    ]);
    await rebuild(other, { runId: 'one is known' });
    expect((await booked('one is known')).map(({ minute, reason }) => [minute, reason])).toEqual([
      [1, 'other content'],
      [2, 'other content'],
    ]);
  });

  it('where some of its trades are pruned and some are not', async () => {
    await count(history);
    await keep(trades(1, 13));
    expect(await rebuild(history)).toMatchObject({ 0: 'equal', 1: 'refused', 2: 'equal' });
    expect(await refused()).toEqual([[1, 'partly pruned', '{}']]);
  });

  it('where the lake has an id with several contents and the counted one is pruned', async () => {
    await count(history);
    expect(await rebuild(history, { several: [15] })).toMatchObject({ 0: 'equal', 1: 'refused', 2: 'equal' });
    expect(await refused()).toEqual([[1, 'several contents', '{}']]);
    await keep(history);
    expect(await rebuild(history, { several: [15], runId: 'kept' })).toMatchObject({ 1: 'equal' });
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
    await count(disordered);
    expect(await rebuild(disordered)).toEqual({ 0: 'equal', 1: 'equal', 2: 'equal', 3: 'equal', 4: 'equal' });
    await rebuild(disordered.filter(({ id }) => id !== 3));
    expect((await refused()).map((row) => (row as unknown[])[0])).toEqual([1, 2]);
  });
});

describe('a ticker', () => {
  it('is rebuilt by its slots like any other source', async () => {
    source = 'test-ticker-5000';
    await count(trades(0, 1, 12), trades(1, 13, 20), trades(2, 25, 36));
    await spoil(1, 'close_price = 7');
    const lake = [...trades(0, 1, 12), ...trades(1, 13, 20), ...trades(2, 25, 36)];
    const before = await bars();
    expect(await rebuild(lake, { replace: true })).toEqual({ 0: 'equal', 1: 'different', 2: 'equal' });
    expect(await bars()).not.toEqual(before);
    expect(await rebuild(lake, { runId: 'again' })).toEqual({ 0: 'equal', 1: 'equal', 2: 'equal' });
    expect(await rebuild(lake.slice(1))).toMatchObject({ 0: 'refused', 1: 'equal' });
  });
});

describe('beside a stream', () => {
  it('waits for the batch that counts into its minute, and sees what it counted', async () => {
    await count(history);
    await spoil(5, 'volume = 0');
    const [stream, job] = [new pg.Client(address), new pg.Client(address)];
    await Promise.all([stream.connect(), job.connect()]);
    await stream.query('BEGIN');
    const wanted = JSON.stringify([{ source, symbol, ids: '{[24,24]}' }]);
    await stream.query('SELECT crypto.lock_coverage($1)', [wanted]);
    let isDone = false;
    const running = rebuild(history, { replace: true, client: job }).then((found) => {
      isDone = true;
      return found;
    });
    await expect
      .poll(
        async () =>
          (await queryRows<{ n: number }>(pool, `SELECT count(*) AS n FROM pg_locks WHERE NOT granted`))[0]
            ?.n,
      )
      .toBeGreaterThan(0);
    expect(isDone).toBe(false);
    await stream.query('SELECT crypto.cover($1)', [wanted]);
    await stream.query('COMMIT');
    // Id 24 is counted now, and the lake as it was read does not have it: where it lies nobody can tell.
    expect(await running).toMatchObject({ 2: 'equal', 4: 'equal', 5: 'refused' });
    expect(await refused()).toEqual([[5, 'missing ids', '{[24,25)}']]);
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
      isLost: fc.boolean().map((isLost) => isLost),
      isSpoiled: fc.boolean(),
    }),
    { minLength: 2, maxLength: 25 },
  );

  it('mends exactly the minutes whose every id the lake holds, and changes no other row, for any history', async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.boolean(), async (steps, isPruned) => {
        symbol = `S${(made += 1)}`;
        let minute = 0;
        const all = steps.map(({ minutes, price, kind, ...more }, index) => {
          minute += minutes;
          const time = begin + minute * 60_000 + index;
          return { id: 5 + index, time, price, isNeutralised: kind === 'neutralised', kind, minute, ...more };
        });
        const counted = all.filter(({ kind }) => kind !== 'uncounted');
        if (counted.length === 0) return;
        await count(counted);
        if (!isPruned) await keep(counted);
        const before = await bars();
        const spoiled = new Set(
          counted
            .filter(({ isSpoiled, isNeutralised }) => isSpoiled && !isNeutralised)
            .map((trade) => trade.minute),
        );
        for (const one of spoiled) await spoil(one, 'volume = volume + 1');
        const lossy = counted.filter(({ isLost, id }) => !isLost || id % 2 === 0);
        const known = [...new Set(counted.map((trade) => trade.minute))];
        const found = await rebuild(lossy, { replace: true, known });
        const lostMinutes = new Set(
          counted.filter((trade) => !lossy.includes(trade)).map((trade) => trade.minute),
        );
        for (const one of known) {
          if (lostMinutes.has(one)) expect(found[one]).toBe('refused');
          else if (!isPruned || found[one] !== 'refused')
            expect(found[one]).toBe(spoiled.has(one) ? 'different' : 'equal');
        }
        // With the whole lake all the others are mended too, and everything is as it was, final bars too.
        await rebuild(counted, { replace: true, known, runId: `${symbol} whole` });
        expect(await bars()).toEqual(before);
      }),
      { numRuns: 60 },
    );
  });
});
