import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows } from '../../src/adapters/postgres.js';
import { countBatch, tapeRows, type TestTrade } from '../support/count-trades.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

/** The queries of the file, by the question above each. */
function readQueries(): Map<string, string> {
  const text = readFileSync(new URL('../../scripts/queries_examples.sql', import.meta.url), 'utf8');
  const [, ...parts] = text.split(/^(?=-- .*\?$)/m);
  return new Map(
    parts.map((part) => {
      const [question = '', ...sql] = part.trim().split('\n');
      return [question.slice(3), sql.join('\n')];
    }),
  );
}
const queries = readQueries();
const asked = new Set<string>();
let server: TestPostgres;
let pool: pg.Pool;

beforeAll(async () => {
  server = await startPostgres();
  pool = createPool(await server.database());
  const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
  await createSchema(pool, names).migrate();
  await fill();
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

/** Every trade is 0.25 at its price and a half, spans two raw trades, and sells where the id is a multiple of 3. */
const aTrade = (clock: string, id: number, price: number): TestTrade => ({
  id,
  time: Date.parse(`2024-08-08T${clock}Z`),
  price,
  isNeutralised: false,
});

async function fill(): Promise<void> {
  const bitcoin = [
    aTrade('10:00:00.100', 0, 100),
    aTrade('10:00:30.000', 1, 110),
    aTrade('10:02:00.000', 2, 104),
    aTrade('11:00:00.000', 3, 90),
    aTrade('11:02:59.999', 5, 99),
    aTrade('11:03:00.000', 6, 98),
  ];
  const ether = [aTrade('10:00:10.000', 7, 20), aTrade('10:01:10.000', 8, 21)];
  await queryRows(pool, `SELECT crypto.ensure_day('2024-08-08')`);
  for (const [symbol, trades] of [
    ['BTCUSDT', bitcoin],
    ['ETHUSDT', ether],
  ] as const) {
    await countBatch(pool, symbol, trades, 'binance-spot');
    for (const [id, price, quantity, first, last, time, isMaker] of tapeRows(trades))
      await queryRows(
        pool,
        `INSERT INTO crypto.crypto_prices_clean VALUES ('binance-spot', $1, $2, $3, $4, $5::int8, to_timestamp($5::int8 / 1000.0), $6, $7, $8)`,
        [symbol, id, first, last, time, price, quantity, isMaker],
      );
  }
  await queryRows(
    pool,
    `ALTER TABLE crypto.crypto_prices_agg_1min DISABLE TRIGGER USER;
     UPDATE crypto.crypto_prices_agg_1min SET finalized_at = window_end + (first_agg_trade_id + 1) * INTERVAL '250 ms'
     WHERE finalized_at IS NOT NULL;
     ALTER TABLE crypto.crypto_prices_agg_1min ENABLE TRIGGER USER;
     INSERT INTO crypto.conflicts VALUES
       ('binance-spot', 'BTCUSDT', 1, 'other content', 2, 3, 0, 111.5, 0.25, true, '2024-08-08T12:00Z'),
       ('binance-spot', 'BTCUSDT', 2, 'final minute', 4, 5, 0, 112.5, 0.25, true, '2024-08-08T13:00Z');
     INSERT INTO crypto.batches
       (run_id, query, generation, batch_id, topic, offsets, counted, repeated, conflicted, rejected, committed_at)
     SELECT 'run', query, 'g', 1, 'crypto_raw', '{}', counted, 1, 2, 3, at::timestamptz
     FROM (VALUES ('hot', 10, '2024-08-08T10:10Z'), ('hot', 20, '2024-08-08T10:50Z'), ('hot', 5, '2024-08-08T11:00Z'),
                  ('lake', 90, '2024-08-08T10:10Z')) AS batch (query, counted, at)`,
  );
}

/** The rows of the one query whose question begins so, as texts in the order of its columns; times as `10:00:00`. */
async function ask(question: string): Promise<string[]> {
  const [found, ...others] = [...queries.keys()].filter((known) => known.startsWith(question));
  if (found === undefined || others.length > 0) throw new Error(`one question begins with "${question}"`);
  asked.add(found);
  const rows = await queryRows(pool, queries.get(found)!);
  return rows.map((row) => Object.values(row).map(toText).join(' '));
}

function toText(value: unknown): string {
  if (value instanceof Date) return value.toISOString().replace(/^2024-08-08T(.{8}).*$/, '$1');
  if (typeof value === 'object' && value !== null) return (value as { toPostgres(): string }).toPostgres();
  return String(value);
}

describe('the example queries', () => {
  it('last price', async () => {
    expect(await ask('What is the last price')).toEqual([
      'binance-spot BTCUSDT 98.50000000 11:03:00',
      'binance-spot ETHUSDT 21.50000000 10:01:00',
    ]);
  });

  it("the day's range", async () => {
    expect(await ask('What was the range of the day')).toEqual([
      'BTCUSDT 100.50000000 110.50000000 90.50000000 98.50000000 -1.99 false',
    ]);
  });

  it('VWAP', async () => {
    // (100.5 + 110.5 + 104.5) / 3 and (90.5 + 99.5 + 98.5) / 3
    expect(await ask('What was the volume-weighted average price')).toEqual([
      '10:00:00 105.16666667 0.75000000',
      '11:00:00 96.16666667 0.75000000',
    ]);
  });

  it('biggest moves', async () => {
    expect((await ask('Which minutes moved')).slice(0, 2)).toEqual([
      '10:00:00 100.50000000 110.50000000 9.9502',
      '10:01:00 110.50000000 110.50000000 0.0000',
    ]);
  });

  it('busiest minutes', async () => {
    expect((await ask('Which minutes were the busiest')).slice(0, 2)).toEqual([
      '10:00:00 4 52.7500000000000000',
      '10:02:00 2 26.1250000000000000',
    ]);
  });

  it('trades per minute', async () => {
    // 12 raw trades in 10:00 to 11:00 and in 11:02 and 11:03.
    expect(await ask('How many trades come')).toEqual(['BTCUSDT 0.2 4 63', 'ETHUSDT 2.0 2 2']);
  });

  it('quiet minutes', async () => {
    const quiet = await ask('Which minutes were quiet');
    expect([quiet.length, quiet[0], quiet[1], quiet.at(-1)]).toEqual([
      58,
      '10:01:00 110.50000000',
      '10:03:00 104.50000000',
      '10:59:00 104.50000000',
    ]);
  });

  it('taker share', async () => {
    expect(await ask('Which share of the volume')).toEqual(['10:00:00 0.6667', '11:00:00 0.3333']);
  });

  it('average trade', async () => {
    // 0.25 x 604 over 12 trades, 0.25 x 42 over 4.
    expect(await ask('How large is a trade')).toEqual(['BTCUSDT 12.58', 'ETHUSDT 2.63']);
  });

  it('largest trades', async () => {
    expect((await ask('Which single trades')).slice(0, 2)).toEqual([
      '1 10:00:30 110.50000000 0.25000000 27.6250000000000000',
      '2 10:02:00 104.50000000 0.25000000 26.1250000000000000',
    ]);
  });

  it('returns from hour to hour', async () => {
    expect(await ask('How much did each hour move')).toEqual([
      '10:00:00 104.50000000 null',
      '11:00:00 98.50000000 -5.7416',
    ]);
  });

  it('completeness', async () => {
    expect(await ask('How complete is each day')).toEqual([
      'binance-spot BTCUSDT 00:00:00 5 2 58 1377',
      'binance-spot ETHUSDT 00:00:00 2 0 0 1438',
    ]);
  });

  it('holes', async () => {
    expect(await ask('Which trades are missing')).toEqual(['BTCUSDT 4 4 11:00:00 11:02:00']);
  });

  it('freshness', async () => {
    expect(await ask('How new are the data')).toEqual([
      'binance-spot BTCUSDT 11:03:00 10:02:00 1 1',
      'binance-spot ETHUSDT 10:01:10 null 0 0',
    ]);
  });

  it('slow minutes', async () => {
    expect(await ask('Which minutes took longest')).toEqual([
      'BTCUSDT 10:02:00 0.75 seconds',
      'BTCUSDT 10:00:00 0.25 seconds',
    ]);
  });

  it('contradictions', async () => {
    expect(await ask('Which trades contradict')).toEqual([
      'BTCUSDT 2 final minute 112.50000000 0.25000000 13:00:00',
      'BTCUSDT 1 other content 111.50000000 0.25000000 12:00:00',
    ]);
  });

  it('messages by hour', async () => {
    expect(await ask('How many messages did the job')).toEqual(['10:00:00 30 2 4 6', '11:00:00 5 1 2 3']);
  });

  it('are all asked here, and each is one query', () => {
    expect([...queries.keys()].filter((question) => !asked.has(question))).toEqual([]);
    expect([...queries.values()].filter((sql) => sql.split(';').length !== 2)).toEqual([]);
  });
});
