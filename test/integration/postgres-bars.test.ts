import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { createBarStore } from '../../src/adapters/postgres-bars.js';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows } from '../../src/adapters/postgres.js';
import type { BarStore } from '../../src/core/ports/bars.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

const minute = (at: number): number => Date.UTC(2024, 7, 8, 12, at);
let server: TestPostgres;
let pool: pg.Pool;
let store: BarStore;

beforeAll(async () => {
  server = await startPostgres();
  pool = createPool(await server.database());
  const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
  await createSchema(pool, names).migrate();
  await fill();
  store = createBarStore(pool);
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

async function fill(): Promise<void> {
  for (const at of [0, 1, 3])
    await queryRows(
      pool,
      `INSERT INTO crypto.crypto_prices_agg_1min VALUES (
         'binance-spot', 'BTCUSDT', to_timestamp($1::bigint / 1000.0), to_timestamp($1::bigint / 1000.0 + 60),
         100.1, 100.4, 100, 100.2, 1.5, 123456789012345678.0123456789012345, 0.5, 50.1, 10, 4,
         $2::bigint, $2::bigint + 4, 9007199254740000, 9007199254740009, now(), $3)`,
      [minute(at), 100 + at * 5, at === 1 ? new Date() : null],
    );
  await queryRows(pool, `SELECT crypto.ensure_day('2024-08-08')`);
  await queryRows(
    pool,
    `INSERT INTO crypto.crypto_prices_clean
     SELECT 'binance-spot', 'BTCUSDT', 119, 1, 1, $1::bigint, to_timestamp($1::bigint / 1000.0), 1, 1, true`,
    [minute(3) + 59_999],
  );
  await queryRows(
    pool,
    `INSERT INTO crypto.coverage VALUES ('binance-spot', 'BTCUSDT', '{[100,110),[113,114),[115,120)}'),
       ('other', 'BTCUSDT', '{}')`,
  );
  await queryRows(
    pool,
    `INSERT INTO crypto.batches
       (run_id, query, generation, batch_id, topic, offsets, counted, repeated, conflicted, rejected)
     SELECT 'run', query, generation, id, 'crypto_raw', offsets::jsonb, 0, 0, 0, 0
     FROM (VALUES (7, 'hot', 'lost', '{"0": [0, 500], "5": [0, 3]}'),
                  (1, 'hot', 'g', '{"0": [0, 10], "11": [0, 7]}'), (2, 'hot', 'g', '{"0": [10, 25]}'),
                  (1, 'hot', 'g', '{"0": [0, 10], "11": [0, 7]}'),
                  (3, 'lake', 'g', '{"0": [0, 99]}')) AS batch (id, query, generation, offsets)`,
  );
}

const query = { source: 'binance-spot', symbol: 'BTCUSDT' };

describe('the warehouse', () => {
  it('gives bars with exact amounts, ids as numbers and times in ms', async () => {
    expect(await store.bars({ ...query, from: minute(1), to: minute(2) })).toEqual([
      {
        ...query,
        windowStart: minute(1),
        open: '100.10000000',
        high: '100.40000000',
        low: '100.00000000',
        close: '100.20000000',
        volume: '1.5',
        quoteVolume: '123456789012345678.0123456789012345',
        tradeCount: 10,
        takerBuyVolume: '0.5',
        takerBuyQuoteVolume: '50.1',
        takerBuyTradeCount: 4,
        firstAggTradeId: 105,
        lastAggTradeId: 109,
        firstTradeId: 9007199254740000,
        lastTradeId: 9007199254740009,
        isFinal: true,
      },
    ]);
  });

  it('gives the bars that start in a range of time, without its end', async () => {
    const bars = await store.bars({ ...query, from: minute(0), to: minute(3) });
    expect(bars.map(({ windowStart, isFinal }) => [windowStart, isFinal])).toEqual([
      [minute(0), false],
      [minute(1), true],
    ]);
  });

  it('gives the evidence of all bars where no range is given', async () => {
    const { bars, ...rest } = await store.evidence(query);
    expect(bars.map(({ windowStart }) => windowStart)).toEqual([minute(0), minute(1), minute(3)]);
    expect(rest).toEqual({
      coverage: [
        { firstId: 100, lastId: 109 },
        { firstId: 113, lastId: 113 },
        { firstId: 115, lastId: 119 },
      ],
      lastIdBefore: undefined,
      firstIdAfter: undefined,
    });
  });

  it('gives the trades around a range of time with its evidence', async () => {
    const evidence = await store.evidence({ ...query, from: minute(1), to: minute(2) });
    expect([evidence.bars.length, evidence.lastIdBefore, evidence.firstIdAfter]).toEqual([1, 104, 115]);
  });

  it('gives the ids that are missing inside the coverage', async () => {
    expect(await store.holes('binance-spot')).toEqual([
      { ...query, firstId: 110, lastId: 112 },
      { ...query, firstId: 114, lastId: 114 },
    ]);
    expect(await store.holes('other')).toEqual([]);
    expect(await store.holes()).toHaveLength(2);
  });

  it('gives the coverage of all symbols, with the time of the newest trade', async () => {
    expect(await store.coverage('binance-spot')).toEqual([
      {
        symbol: 'BTCUSDT',
        ranges: [
          { firstId: 100, lastId: 109 },
          { firstId: 113, lastId: 113 },
          { firstId: 115, lastId: 119 },
        ],
        newestTradeAt: minute(3) + 59_999,
      },
    ]);
    expect(await store.coverage('other')).toEqual([]);
  });

  it('says how new each symbol is, and which symbols there are', async () => {
    expect(await store.freshness()).toEqual([
      {
        ...query,
        newestTradeAt: minute(3) + 59_999,
        newestFinalBarAt: minute(1),
        holes: 2,
        missingIds: 4,
        firstMissingId: 110,
      },
      {
        source: 'other',
        symbol: 'BTCUSDT',
        newestTradeAt: undefined,
        newestFinalBarAt: undefined,
        holes: 0,
        missingIds: 0,
        firstMissingId: undefined,
      },
    ]);
    expect(await store.symbols('binance-spot')).toEqual(['BTCUSDT']);
  });

  it('says up to which offset the newest generation of a query has counted each partition', async () => {
    const ageMs = expect.any(Number) as number;
    expect(await store.committedOffsets('hot')).toEqual([
      { topic: 'crypto_raw', partition: 0, next: 25n, ageMs },
      { topic: 'crypto_raw', partition: 11, next: 7n, ageMs },
    ]);
    expect(await store.committedOffsets('lake')).toEqual([
      { topic: 'crypto_raw', partition: 0, next: 99n, ageMs },
    ]);
  });

  it('refuses an id that a number cannot hold', async () => {
    await queryRows(
      pool,
      `UPDATE crypto.crypto_prices_agg_1min SET last_trade_id = 9007199254740993 WHERE window_start = to_timestamp($1::bigint / 1000.0)`,
      [minute(3)],
    );
    await expect(store.evidence(query)).rejects.toThrow('last_trade_id is 9007199254740993');
  });
});
