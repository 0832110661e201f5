import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows } from '../../src/adapters/postgres.js';
import type { Bar } from '../../src/core/ports/bars.js';
import { countBatch, tapeRows, type TestTrade } from '../support/count-trades.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { barsOfTape } from '../support/tape-bars.js';

const minuteMs = 60_000;
const begin = Date.UTC(2024, 7, 8, 12);
let server: TestPostgres;
let pool: pg.Pool;

beforeAll(async () => {
  server = await startPostgres();
  pool = createPool(await server.database());
  const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
  await createSchema(pool, names).migrate();
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

const aTrade = (minute: number, id: number, price = 100 + id): TestTrade => ({
  id,
  time: begin + minute * minuteMs + (id % 1000),
  price,
  isNeutralised: false,
});

interface Candle {
  readonly start: number;
  readonly end: number;
  /** Open, high, low, close. */
  readonly prices: readonly string[];
  readonly amounts: readonly string[];
  readonly counts: readonly number[];
  readonly is_final: boolean;
}

const candleColumns = `
  (extract(epoch FROM window_start) * 1000)::int8 AS start, (extract(epoch FROM window_end) * 1000)::int8 AS end,
  ARRAY[open_price, high_price, low_price, close_price]::text[] AS prices,
  ARRAY[trim_scale(volume), trim_scale(quote_volume), trim_scale(taker_buy_volume),
    trim_scale(taker_buy_quote_volume)]::text[] AS amounts,
  ARRAY[trade_count, taker_buy_trade_count]::int[] AS counts, is_final`;
const candlesOf = (view: string, symbol: string): Promise<Candle[]> =>
  queryRows<Candle & pg.QueryResultRow>(
    pool,
    `SELECT ${candleColumns} FROM crypto.${view} WHERE source = 'test' AND symbol = $1 ORDER BY window_start`,
    [symbol],
  );
const minutesOf = async (
  symbol: string,
): Promise<[minute: number, close: string, trades: number, isFinal: boolean][]> =>
  (await candlesOf('candles_1min', symbol)).map(({ start, prices, counts, is_final }) => [
    (start - begin) / minuteMs,
    prices[3]!,
    counts[0]!,
    is_final,
  ]);

describe('candles_1min', () => {
  it('has proven quiet minutes as flat bars at the last price, and none that nobody can prove', async () => {
    await countBatch(pool, 'QUIET', [aTrade(0, 1), aTrade(0, 2), aTrade(3, 3), aTrade(6, 5)]);
    const beforeFill = await minutesOf('QUIET');
    expect(beforeFill).toEqual([
      [0, '102.50000000', 4, false],
      [1, '102.50000000', 0, true],
      [2, '102.50000000', 0, true],
      [3, '103.50000000', 2, false],
      [6, '105.50000000', 2, false],
    ]);
    await countBatch(pool, 'QUIET', [aTrade(4, 4)]);
    expect((await minutesOf('QUIET')).slice(3)).toEqual([
      [3, '103.50000000', 2, true],
      [4, '104.50000000', 2, true],
      [5, '104.50000000', 0, true],
      [6, '105.50000000', 2, false],
    ]);
    expect((await candlesOf('candles_1min', 'QUIET'))[1]).toEqual({
      start: begin + minuteMs,
      end: begin + 2 * minuteMs,
      prices: Array(4).fill('102.50000000'),
      amounts: ['0', '0', '0', '0'],
      counts: [0, 0],
      is_final: true,
    });
  });

  it('takes a minute with a neutralised trade alone for quiet, and ids that interleave for no proof', async () => {
    await countBatch(pool, 'ODD', [aTrade(0, 1), { ...aTrade(1, 2), isNeutralised: true }, aTrade(2, 3)]);
    expect((await minutesOf('ODD')).map(([minute]) => minute)).toEqual([0, 1, 2]);
    await countBatch(pool, 'MIXED', [aTrade(0, 1), aTrade(3, 2), aTrade(0, 3), aTrade(3, 4)]);
    expect((await minutesOf('MIXED')).map(([minute]) => minute)).toEqual([0, 3]);
  });
});

/** A history with busy and quiet stretches over more than two days; ids from 0 on, the same in every run. */
function history(): TestTrade[] {
  const pauses = [0, 1, 0, 2, 0, 0, 7, 1, 0, 33, 0, 0, 1, 190, 3, 0, 0, 0, 11, 61];
  let minute = 3;
  return Array.from({ length: 260 }, (_, id) => {
    minute += pauses[(id * 7) % pauses.length]!;
    return aTrade(minute, id, 100 + ((id * 37) % 91));
  });
}

/** What a longer bar must be, straight from the trades; where there is none, flat at the last price. */
function expectedCandles(trades: readonly TestTrade[], widthMs: number): Candle[] {
  const bars = new Map(barsOfTape(tapeRows(trades), 'LONG', widthMs).map((bar) => [bar.windowStart, bar]));
  const [first, last] = [trades[0]!.time, trades.at(-1)!.time];
  const firstMinute = Math.floor(first / minuteMs) * minuteMs;
  const lastMinute = Math.floor(last / minuteMs) * minuteMs;
  const candles: Candle[] = [];
  let close = '';
  for (let start = Math.floor(first / widthMs) * widthMs; start <= last; start += widthMs) {
    const bar: Bar | undefined = bars.get(start);
    close = bar?.close ?? close;
    candles.push({
      start,
      end: start + widthMs,
      prices: bar === undefined ? Array<string>(4).fill(close) : [bar.open, bar.high, bar.low, bar.close],
      amounts:
        bar === undefined
          ? Array<string>(4).fill('0')
          : [bar.volume, bar.quoteVolume, bar.takerBuyVolume, bar.takerBuyQuoteVolume].map(trimZeros),
      counts: bar === undefined ? [0, 0] : [bar.tradeCount, bar.takerBuyTradeCount],
      is_final: start >= firstMinute && start + widthMs <= lastMinute,
    });
  }
  return candles;
}

const trimZeros = (text: string): string => text.replace(/\.?0+$/, '');

describe('longer candles', () => {
  it.each([
    ['candles_1min', 1],
    ['candles_5min', 5],
    ['candles_15min', 15],
    ['candles_1h', 60],
    ['candles_1d', 24 * 60],
  ])('%s are what the trades say, cut in UTC and final only when whole', async (view, minutes) => {
    const trades = history();
    await countBatch(pool, 'LONG', trades);
    const expected = expectedCandles(trades, minutes * minuteMs);
    expect(expected.length).toBeGreaterThan(2);
    expect(expected.some(({ is_final }) => is_final)).toBe(true);
    expect(await candlesOf(view, 'LONG')).toEqual(expected);
  });

  it('are not final beside a hole, and have no bar for what nobody knows', async () => {
    const trades = [...Array(60).keys()].map((minute) => aTrade(minute, minute));
    await countBatch(
      pool,
      'HOLE',
      trades.filter(({ id }) => id !== 22),
    );
    const quarters = await candlesOf('candles_15min', 'HOLE');
    expect(quarters.map(({ is_final, counts }) => [is_final, counts[0]])).toEqual([
      [true, 30],
      [false, 28],
      [true, 30],
      [false, 30],
    ]);
    expect((await minutesOf('HOLE')).some(([minute]) => minute === 22)).toBe(false);
  });
});

describe('candles of a range of time', () => {
  it('are the same by function as by view, from wherever to wherever', async () => {
    const all = await candlesOf('candles_1min', 'LONG');
    for (const [from, to] of [
      [0, 5000],
      [200, 203],
      [201, 202],
      [34, 300],
      [-100, 10],
      [600, 601],
    ] as const) {
      const since = begin + from * minuteMs;
      const until = begin + to * minuteMs;
      const found = await queryRows<Candle & pg.QueryResultRow>(
        pool,
        `SELECT ${candleColumns} FROM crypto.minutes_between('test', 'LONG', to_timestamp($1::int8 / 1000.0),
           to_timestamp($2::int8 / 1000.0)) ORDER BY window_start`,
        [since, until],
      );
      expect(found).toEqual(all.filter(({ start }) => start >= since && start < until));
    }
  });

  it('read of the bars only that range of one symbol, and search for gaps in the index alone', async () => {
    await queryRows(
      pool,
      `INSERT INTO crypto.crypto_prices_agg_1min
       SELECT 'test', 'S' || symbol, minute, minute + INTERVAL '1 minute', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, id, id, id, id, now(), now()
       FROM generate_series(1, 5) AS symbol, generate_series('2024-07-01Z'::timestamptz, '2024-07-07T23:59Z', '1 minute')
         WITH ORDINALITY AS minutes (minute, id)`,
    );
    await queryRows(
      pool,
      `INSERT INTO crypto.coverage SELECT 'test', 'S' || n, '{[1,20000)}' FROM generate_series(1, 5) AS n`,
    );
    await queryRows(pool, 'ANALYZE crypto.crypto_prices_agg_1min');
    const [row] = await queryRows<{ 'QUERY PLAN': PlanNode[] }>(
      pool,
      `EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM crypto.candles_1min
       WHERE symbol = 'S3' AND window_start >= '2024-07-03Z' AND window_start < '2024-07-04Z'`,
    );
    const scans = nodesOf(row!['QUERY PLAN'][0]!.Plan!).filter(
      (node) => node['Relation Name'] === 'crypto_prices_agg_1min',
    );
    const reads = scans.map((node) => [node['Node Type'], node['Actual Rows']! * node['Actual Loops']!]);
    expect(reads.filter(([type]) => type === 'Seq Scan')).toEqual([]);
    expect(reads.filter(([type]) => type !== 'Index Only Scan')).toEqual([
      [expect.stringMatching(/^(Bitmap Heap|Index) Scan$/), 1440],
      ['Index Scan', 0],
      ['Index Scan', 0],
    ]);
  });
});

interface PlanNode {
  readonly Plan?: PlanNode;
  readonly Plans?: readonly PlanNode[];
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];
