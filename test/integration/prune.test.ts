import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBarStore } from '../../src/adapters/postgres-bars.js';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createTradeDays } from '../../src/adapters/postgres-trade-days.js';
import { createPool, queryRows, type PostgresAddress } from '../../src/adapters/postgres.js';
import type { TradeDays } from '../../src/core/ports/retention.js';
import { aBar, firstMinute } from '../support/bars.js';
import { countBars } from '../support/count-bars.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

let server: TestPostgres;
let address: PostgresAddress;
let pool: pg.Pool;
let days: TradeDays;

beforeAll(async () => {
  server = await startPostgres();
  address = await server.database();
  pool = createPool(address);
  const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
  await createSchema(pool, names).migrate();
  days = createTradeDays(pool);
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

const insertTrade = (id: number, time: string) => ({
  text: `INSERT INTO crypto.crypto_prices_clean
    SELECT 'binance-spot', 'BTCUSDT', $1, 1, 1, extract(epoch FROM $2::timestamptz) * 1000, $2, 1, 1, true`,
  values: [id, time],
});

/** As the hot query writes: in one transaction, `ensure_day` before the trades. */
async function writer() {
  const client = new pg.Client(address);
  await client.connect();
  await client.query('BEGIN');
  return {
    ensure: (day: string) => client.query('SELECT crypto.ensure_day($1)', [day]),
    setLockTimeout: (limit: string) => client.query(`SET LOCAL lock_timeout = '${limit}'`),
    insert: (id: number, time: string) => client.query(insertTrade(id, time)),
    commit: () => client.query('COMMIT').then(() => client.end()),
  };
}

async function fill(day: string, ids: readonly number[]): Promise<void> {
  await queryRows(pool, 'SELECT crypto.ensure_day($1)', [day]);
  for (const id of ids) {
    const { text, values } = insertTrade(id, `${day}T23:59:59.999Z`);
    await queryRows(pool, text, values);
  }
}

describe('the days of trades', () => {
  it('are listed with their rows, and go one by one; bars and coverage stay', async () => {
    await fill('2024-08-08', [1, 2, 3]);
    await fill('2024-08-09', [4]);
    await fill('2024-08-10', [5, 6]);
    await queryRows(
      pool,
      `CREATE TABLE crypto.crypto_prices_clean_default PARTITION OF crypto.crypto_prices_clean DEFAULT`,
    );
    await countBars(pool, [aBar(0, { firstAggTradeId: 0, lastAggTradeId: 3, isFinal: false })], ['[0,3]']);
    const found = await days.before('2024-08-10');
    expect(found.map(({ day, rows }) => [day, rows])).toEqual([
      ['2024-08-08', 3],
      ['2024-08-09', 1],
    ]);
    expect(found.every(({ sizeBytes }) => sizeBytes >= 16_384)).toBe(true);
    expect(await days.drop('2024-08-08')).toBe(true);
    expect(await days.drop('2024-08-08')).toBe(false);
    expect(await days.before('2025-01-01')).toMatchObject([
      { day: '2024-08-09' },
      { day: '2024-08-10', rows: 2 },
    ]);
    expect(await queryRows(pool, 'SELECT count(*) AS bars FROM crypto.crypto_prices_agg_1min')).toEqual([
      { bars: 1 },
    ]);
    expect(await queryRows(pool, 'SELECT ids FROM crypto.coverage')).toEqual([{ ids: '{[0,4)}' }]);
    await queryRows(pool, 'DROP TABLE crypto.crypto_prices_clean_default');
  });

  it('leave the freshness of a symbol with the minute of its last trade', async () => {
    const [freshness] = await createBarStore(pool).freshness();
    expect(freshness).toMatchObject({ symbol: 'BTCUSDT', newestTradeAt: firstMinute });
  });
});

describe('dropping a day beside a stream', () => {
  it('waits for the batch that writes to it, and the next batch makes it anew', async () => {
    await fill('2024-09-01', [10]);
    const stream = await writer();
    await stream.ensure('2024-09-01');
    let isDropped = false;
    const drop = days.drop('2024-09-01').then((result) => (isDropped = result));
    await untilWaiting(1);
    // A batch that comes meanwhile waits for the drop, not the other way round.
    const later = await writer();
    const ensured = later.ensure('2024-09-01');
    await untilWaiting(2);
    await stream.insert(11, '2024-09-01T10:00:00Z');
    expect(isDropped).toBe(false);
    await stream.commit();
    expect(await drop).toBe(true);
    await ensured;
    await later.insert(12, '2024-09-01T11:00:00Z');
    await later.commit();
    expect(await days.before('2024-09-02')).toContainEqual(
      expect.objectContaining({ day: '2024-09-01', rows: 1 }),
    );
  });

  it('gives up where somebody reads for long, instead of stopping the stream behind it', async () => {
    await fill('2024-09-03', [20]);
    const reader = new pg.Client(address);
    await reader.connect();
    await reader.query('BEGIN; SELECT 1 FROM crypto.crypto_prices_clean LIMIT 1');
    await expect(days.drop('2024-09-03')).rejects.toThrow(/did not give a lock in time .*lock timeout/);
    await reader.end();
    expect(await days.drop('2024-09-03')).toBe(true);
  });
});

describe('the change of day beside a reader whose transaction stays open', () => {
  let reader: pg.Client;

  beforeAll(async () => {
    await fill('2024-10-01', [30]);
    reader = new pg.Client(address);
    await reader.connect();
    await reader.query('BEGIN; SELECT 1 FROM crypto.crypto_prices_clean LIMIT 1');
  });
  afterAll(() => reader.end());

  it('does not stop the batch that writes the first trade of the next day, nor other readers', async () => {
    const stream = await writer();
    await stream.setLockTimeout('100ms');
    await stream.ensure('2024-10-02');
    await stream.insert(31, '2024-10-02T00:00:00.001Z');
    const [seen] = await queryRows<{ trades: number }>(
      pool,
      'SELECT count(*) AS trades FROM crypto.crypto_prices_clean WHERE agg_trade_id >= 30',
    );
    expect(seen?.trades).toBe(1);
    await stream.commit();
    const { rows } = await reader.query(
      'SELECT agg_trade_id FROM crypto.crypto_prices_clean ORDER BY 1 DESC LIMIT 1',
    );
    expect(rows).toEqual([{ agg_trade_id: '31' }]);
  });

  it('finds the day made ahead of time, with the same columns, key and reader as every other', async () => {
    await queryRows(
      pool,
      `SET lock_timeout = '100ms'; SELECT crypto.make_days_ahead('2024-10-03'); RESET lock_timeout`,
    );
    const made = await queryRows<{ table: string }>(
      pool,
      `SELECT relname AS table FROM pg_partition_tree('crypto.crypto_prices_clean') JOIN pg_class ON oid = relid
       WHERE relname ~ '2024100[3-6]' ORDER BY 1`,
    );
    expect(made.map(({ table }) => table)).toEqual(
      ['03', '04', '05'].map((day) => `crypto_prices_clean_202410${day}`),
    );
    const [same] = await queryRows(
      pool,
      `SELECT (SELECT count(*) FROM pg_index WHERE indrelid = 'crypto.crypto_prices_clean_20241005'::regclass AND indisprimary) AS keys,
              has_table_privilege('crypto_reader', 'crypto.crypto_prices_clean_20241005', 'SELECT') AS readable`,
    );
    expect(same).toEqual({ keys: 1, readable: true });
  });

  it('is made once by two batches that need it at the same time', async () => {
    const [first, second] = [await writer(), await writer()];
    await first.ensure('2024-10-07');
    const ensured = second.ensure('2024-10-07');
    await first.insert(32, '2024-10-07T00:00:00Z');
    await first.commit();
    await ensured;
    await second.insert(33, '2024-10-07T00:00:01Z');
    await second.commit();
    expect(await days.before('2024-10-08')).toContainEqual(
      expect.objectContaining({ day: '2024-10-07', rows: 2 }),
    );
  });

  it('cannot be held up by a role that can only read', async () => {
    const reading = new pg.Client(address);
    await reading.connect();
    await reading.query('SET ROLE crypto_reader; BEGIN');
    await expect(reading.query('LOCK TABLE crypto.day_lock IN SHARE MODE')).rejects.toMatchObject({
      code: '42501',
    });
    await reading.end();
  });
});

async function untilWaiting(count: number): Promise<void> {
  await expect
    .poll(async () => {
      const [row] = await queryRows<{ waiting: number }>(
        pool,
        `SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted AND relation = 'crypto.day_lock'::regclass`,
      );
      return row?.waiting;
    })
    .toBe(count);
}
