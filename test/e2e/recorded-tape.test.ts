import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLake, type LakeCopy } from '../support/lake.js';
import { describeRecorded, readRecordedCsv, recorded } from '../support/market-data.js';
import { aPipeline, playTapes, type Pipeline } from '../support/pipeline.js';

/** Each symbol with the one whose recorded trades it has: names beyond ASCII are traded, and go through every part alike. */
const recordedAs: Readonly<Record<string, string>> = { BTCUSDT: 'BTCUSDT', 币安人生USDT: 'ETHUSDT' };
const symbols = Object.keys(recordedAs);
const folder = mkdtempSync(join(tmpdir(), 'cryptopipe-tape-'));
const fileOf = (symbol: string): string => `${symbol}-aggTrades-2024-08-08.csv.gz`;
const tapes = symbols.map((symbol) => join(folder, fileOf(symbol)));
/** The minutes that the tape has from their first to their last trade: 23:55 to 00:04. */
const whole = { from: Date.UTC(2024, 7, 8, 23, 55), to: Date.UTC(2024, 7, 9, 0, 5) };
const isWhole = ([openTime]: readonly string[]): boolean =>
  Number(openTime) >= whole.from && Number(openTime) < whole.to;

/** Decimal text without zeros at its end, as PostgreSQL's trim_scale gives it: equal texts are equal amounts. */
const plain = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

describeRecorded('the recorded tape, through every real part', () => {
  let pipeline: Pipeline;
  let sandbox: Awaited<ReturnType<typeof playTapes>>;
  let lake: LakeCopy;

  beforeAll(async () => {
    for (const [symbol, original] of Object.entries(recordedAs))
      copyFileSync(recorded('spot_2024-08-08', fileOf(original)), join(folder, fileOf(symbol)));
    [pipeline, sandbox] = await Promise.all([aPipeline('tape'), playTapes(tapes)]);
    await pipeline.run([
      ...['produce', '--symbols', symbols.join(','), '--exchange', sandbox.url],
      ...['--from', '0', '--ignore-cursor', '--until-caught-up', '--quiet'],
    ]);
    await pipeline.workOff();
    lake = await openLake(pipeline.app.files, pipeline.folder);
  });
  afterAll(async () => {
    await pipeline.close();
    await sandbox.stop();
    await lake.close();
    rmSync(folder, { recursive: true });
  });

  it.for(symbols)(
    "gives 10 of 10 whole minutes of %s, equal to the exchange's in five fields",
    async (symbol) => {
      const bars = await pipeline.rows(
        `SELECT (extract(epoch FROM window_start) * 1000)::bigint::text AS open_time,
         trim_scale(open_price)::text AS open, trim_scale(high_price)::text AS high,
         trim_scale(low_price)::text AS low, trim_scale(close_price)::text AS close, trim_scale(volume)::text AS volume
       FROM crypto.crypto_prices_agg_1min
       WHERE source = 'binance-spot' AND symbol = $1 AND finalized_at IS NOT NULL
       ORDER BY window_start`,
        [symbol],
      );
      const exchange = readRecordedCsv(
        `spot_2024-08-08/klines_1m_${recordedAs[symbol]}_2024-08-08_09.csv`,
      ).filter(isWhole);
      expect(exchange).toHaveLength(10);
      expect(bars.map((bar) => Object.values(bar))).toEqual(exchange.map((kline) => kline.map(plain)));
    },
  );

  it("gives 2 of 2 five-minute bars, summed from the minutes, equal to the exchange's in nine fields", async () => {
    const bars = await pipeline.rows(
      `SELECT (extract(epoch FROM date_bin('5 minutes', window_start, 'epoch')) * 1000)::bigint::text AS open_time,
         trim_scale((array_agg(open_price ORDER BY window_start))[1])::text AS open,
         trim_scale(max(high_price))::text AS high, trim_scale(min(low_price))::text AS low,
         trim_scale((array_agg(close_price ORDER BY window_start DESC))[1])::text AS close,
         trim_scale(sum(volume))::text AS volume, trim_scale(sum(quote_volume))::text AS quote_volume,
         sum(trade_count)::text AS trade_count, trim_scale(sum(taker_buy_volume))::text AS taker_buy_volume,
         trim_scale(sum(taker_buy_quote_volume))::text AS taker_buy_quote_volume
       FROM crypto.crypto_prices_agg_1min
       WHERE symbol = 'BTCUSDT' AND finalized_at IS NOT NULL
       GROUP BY 1 HAVING count(*) = 5 ORDER BY 1`,
    );
    const exchange = readRecordedCsv('spot_2024-08-08/klines_5m_BTCUSDT_2024-08-08_09.csv').filter(isWhole);
    expect(exchange).toHaveLength(2);
    const nineFields = exchange.map((kline) => [...kline.slice(0, 6), ...kline.slice(7, 11)].map(plain));
    expect(bars.map((bar) => Object.values(bar))).toEqual(nineFields);
  });

  it('is proven by `verify`, every final bar in nine fields', async () => {
    const report = JSON.parse(await pipeline.run(['verify', '--exchange', sandbox.url, '--json'])) as {
      isProven: boolean;
      symbols: { symbol: string; finalBars: number; verdicts: { equal: number }; holes: unknown[] }[];
    };
    expect(report).toMatchObject({
      isProven: true,
      symbols: symbols.map((symbol) => ({ symbol, finalBars: 10, verdicts: { equal: 10 }, holes: [] })),
    });
  });

  it('has every trade of the tape in Kafka, and every offset of Kafka once in raw/', async () => {
    const offsets = await pipeline.app.topics.offsets(pipeline.topic);
    const held = await lake.rows(
      `SELECT "partition", count(*) AS messages, count(DISTINCT "offset") AS offsets,
         min("offset") AS first, max("offset") AS last FROM raw GROUP BY "partition" ORDER BY "partition"`,
    );
    expect(held).toEqual(
      offsets
        .filter(({ latest }) => latest > 0n)
        .map(({ partition, latest }) => ({
          partition,
          messages: String(latest),
          offsets: String(latest),
          first: '0',
          last: String(latest - 1n),
        })),
    );
    expect(offsets.reduce((sum, { latest }) => sum + latest, 0n)).toBe(18_745n);
  });

  it.for(['raw', 'clean'] as const)('has every trade of the tape once in %s/, by value', async (area) => {
    const differing = await lake.rows(
      `WITH tape AS (${tapes.map((file, index) => tapeSql(file, symbols[index]!)).join(' UNION ALL ')}),
       lake AS (${lakeSql[area]})
       SELECT
         (SELECT count(*) FROM lake) AS rows,
         (SELECT count(*) FROM (SELECT * FROM tape EXCEPT ALL SELECT * FROM lake)) AS missing,
         (SELECT count(*) FROM (SELECT * FROM lake EXCEPT ALL SELECT * FROM tape)) AS foreign_rows`,
    );
    expect(differing).toEqual([{ rows: '18745', missing: '0', foreign_rows: '0' }]);
  });

  it('rejects nothing', async () => {
    await expect(lake.rows('SELECT * FROM rejected')).rejects.toThrow('rejected does not exist');
  });
});

const tapeSql = (file: string, symbol: string): string =>
  `SELECT '${symbol}' AS symbol, id, price, quantity, first_id, last_id, time, is_maker
   FROM read_csv('${file}', header = false, columns = {'id': 'BIGINT', 'price': 'DECIMAL(20, 8)',
     'quantity': 'DECIMAL(20, 8)', 'first_id': 'BIGINT', 'last_id': 'BIGINT', 'time': 'BIGINT',
     'is_maker': 'BOOLEAN', 'is_best': 'BOOLEAN'})`;

const lakeSql = {
  raw: `SELECT decode(key) AS symbol, (m->>'aggTradeId')::BIGINT AS id, (m->>'price')::DECIMAL(20, 8) AS price,
      (m->>'quantity')::DECIMAL(20, 8) AS quantity, (m->>'firstTradeId')::BIGINT AS first_id,
      (m->>'lastTradeId')::BIGINT AS last_id, (m->>'eventTime')::BIGINT AS time,
      (m->>'buyerIsMaker')::BOOLEAN AS is_maker
    FROM (SELECT key, decode(value)::JSON AS m FROM raw) WHERE (m->>'source') = 'binance-spot' AND (m->>'symbol') = decode(key)`,
  clean: `SELECT symbol, agg_trade_id AS id, price, quantity, first_trade_id AS first_id, last_trade_id AS last_id,
      event_time AS time, buyer_is_maker AS is_maker
    FROM clean WHERE source = 'binance-spot' AND epoch_ms(event_timestamp) = event_time`,
};
