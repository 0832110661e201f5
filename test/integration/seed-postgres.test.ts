import { execFileSync, spawnSync } from 'node:child_process';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows, type PostgresAddress } from '../../src/adapters/postgres.js';
import { readDocument } from '../support/documents.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

const hasPsql = spawnSync('psql', ['--version']).error === undefined;
const tables = ['crypto_prices_clean', 'crypto_prices_agg_1min', 'coverage', 'conflicts', 'reconciliations'];
let server: TestPostgres;
let address: PostgresAddress;
let pool: pg.Pool;

beforeAll(async () => {
  server = await startPostgres();
  address = await server.database();
  pool = createPool(address);
  const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
  await createSchema(pool, names).migrate();
  await queryRows(
    pool,
    `INSERT INTO crypto.coverage VALUES ('binance-spot', 'BTCUSDT', '{[0,3)}');
     INSERT INTO crypto.crypto_prices_agg_1min
     SELECT 'binance-spot', 'BTCUSDT', minute, minute + INTERVAL '1 minute', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, id, id, id, id, now(), now()
     FROM (VALUES (TIMESTAMPTZ '2024-08-08 10:01Z', 1)) AS bar (minute, id)`,
  );
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

function seed(flags: readonly string[] = [], timeZone = 'UTC'): void {
  const { host, port, database, user, password } = address;
  const where = ['-h', host, '-p', String(port), '-U', user, '-d', database];
  execFileSync('psql', [...where, '-q', ...flags, '-f', 'scripts/seed_postgres.sql'], {
    stdio: 'pipe',
    env: { ...process.env, PGPASSWORD: password, PGTZ: timeZone },
  });
}

/** Every row of the sample as text, but for the times at which it was written. */
const sampleRows = async (): Promise<string[]> => {
  const found = tables.map((table) =>
    queryRows<{ row: string }>(
      pool,
      `SELECT (to_jsonb(one) - '{updated_at,finalized_at,event_timestamp,window_start,window_end}'::TEXT[])::TEXT AS row
       FROM crypto.${table} AS one WHERE source = 'sample' ORDER BY 1`,
    ),
  );
  return (await Promise.all(found)).flat().map(({ row }) => row);
};
const rowsOf = async (sql: string): Promise<string[]> =>
  (await queryRows(pool, sql)).map((row) => Object.values(row).map(String).join(' '));

describe.skipIf(!hasPsql)(
  `scripts/seed_postgres.sql${hasPsql ? '' : ' (skipped: there is no psql on this computer)'}`,
  () => {
    it('loads the same rows each time, wherever psql thinks that it is', async () => {
      seed();
      const first = await sampleRows();
      seed([], 'Asia/Tokyo');
      expect(await sampleRows()).toEqual(first);
      // 675 and 264 trades, 45 and 44 bars, two rows of coverage.
      expect(first.length).toBe(675 + 264 + 45 + 44 + 2);
    });

    it('keeps the rules: bars are the sums of their trades, final as the coverage proves, and one minute is quiet', async () => {
      const bars = await rowsOf(
        `SELECT concat_ws(' ', symbol, count(*), count(finalized_at), sum(trade_count), trim_scale(sum(volume)),
         trim_scale(sum(quote_volume)), trim_scale(sum(taker_buy_volume)))
       FROM crypto.crypto_prices_agg_1min WHERE source = 'sample' GROUP BY symbol ORDER BY symbol`,
      );
      const trades = await rowsOf(
        `SELECT concat_ws(' ', symbol, count(DISTINCT date_trunc('minute', event_timestamp)),
         count(DISTINCT date_trunc('minute', event_timestamp)) - 1, count(*), trim_scale(sum(quantity)),
         trim_scale(sum(price * quantity)), trim_scale(sum(quantity) FILTER (WHERE NOT buyer_is_maker)))
       FROM crypto.crypto_prices_clean WHERE source = 'sample' GROUP BY symbol ORDER BY symbol`,
      );
      expect(bars).toEqual(trades);
      expect(bars).toEqual([
        expect.stringMatching(/^BTCUSDT 45 44 675 /),
        expect.stringMatching(/^ETHUSDT 44 43 264 /),
      ]);
      expect(
        await rowsOf(`SELECT symbol, ids FROM crypto.coverage WHERE source = 'sample' ORDER BY symbol`),
      ).toEqual(['BTCUSDT {[0,675)}', 'ETHUSDT {[0,264)}']);
      expect(
        await rowsOf(
          `SELECT symbol, to_char(window_start AT TIME ZONE 'UTC', 'HH24:MI'), trade_count, is_final FROM crypto.candles_1min
         WHERE source = 'sample' AND (trade_count = 0 OR NOT is_final) ORDER BY 1, 2`,
        ),
      ).toEqual(['BTCUSDT 10:44 15 false', 'ETHUSDT 10:20 0 true', 'ETHUSDT 10:44 6 false']);
      expect(await rowsOf(`SELECT * FROM crypto.holes WHERE source = 'sample'`)).toEqual([]);
    });

    it('answers the example queries, and never under the source of real trades', async () => {
      const text = readDocument('scripts/queries_examples.sql');
      const range = /-- What was the range of the day[^;]*;/.exec(text)![0];
      expect(await rowsOf(range.replace("'binance-spot'", "'sample'"))).toEqual([
        expect.stringMatching(/^BTCUSDT 57994\.50000000 .* 58036\.00000000 0\.07 false$/),
      ]);
      expect(
        await rowsOf(
          `SELECT window_start FROM crypto.candles_1min WHERE source = 'binance-spot' AND symbol = 'BTCUSDT'`,
        ),
      ).toHaveLength(1);
    });

    it('is removed without a trace, and nothing else is', async () => {
      seed(['--set', 'remove=yes']);
      expect(await sampleRows()).toEqual([]);
      seed(['--set', 'remove=yes']);
      expect(
        await rowsOf(`SELECT source, count(*) FROM crypto.crypto_prices_agg_1min GROUP BY source`),
      ).toEqual(['binance-spot 1']);
      expect(await rowsOf('SELECT source, ids FROM crypto.coverage')).toEqual(['binance-spot {[0,3)}']);
    });
  },
);
