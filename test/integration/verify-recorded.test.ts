import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, type PostgresAddress } from '../../src/adapters/postgres.js';
import type { VerifyReport } from '../../src/commands/verify.js';
import type { SymbolReport } from '../../src/commands/verify/report.js';
import type { Bar } from '../../src/core/ports/bars.js';
import { countBars } from '../support/count-bars.js';
import { exactKline, klineStandIn, type KlineMarket } from '../support/kline-stand-in.js';
import { describeRecorded, recorded } from '../support/market-data.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import type { StandIn } from '../support/rest-stand-in.js';
import { callCli } from '../support/run-cli.js';
import { barsOfTape } from '../support/tape-bars.js';

const symbol = 'ETHBTC';
const file = 'api_answers/trades_ETHBTC_limit1000_2023-03-20.json.gz';

interface RecordedTrade {
  readonly id: number;
  readonly price: string;
  readonly qty: string;
  readonly quoteQty: string;
  readonly time: number;
  readonly isBuyerMaker: boolean;
}

/** Units of 10⁻⁸ of an amount with 8 decimals. */
const unitsOf = (amount: string): bigint => BigInt(amount.replace('.', ''));
const textOf = (units: bigint): string =>
  units
    .toString()
    .padStart(9, '0')
    .replace(/(\d{8})$/, '.$1');
/** Units of 10⁻⁸, the rest cut off, of an amount with 16 decimals. */
const cutUnits = (amount: string): bigint => unitsOf(amount) / 10n ** 8n;

describeRecorded('the quote volumes of recorded ETHBTC trades', () => {
  let server: TestPostgres;
  let exchange: StandIn;
  let market: KlineMarket;
  let pool: pg.Pool;
  let address: PostgresAddress;
  let trades: RecordedTrade[];
  let bars: Bar[];

  /** What the exchange sums: each trade's own quote quantity, which it has cut to 8 decimals. */
  const sumOfCut = ({ windowStart }: Bar, isCounted: (trade: RecordedTrade) => boolean): bigint =>
    trades
      .filter((trade) => Math.floor(trade.time / 60_000) * 60_000 === windowStart && isCounted(trade))
      .reduce((sum, { quoteQty }) => sum + unitsOf(quoteQty), 0n);

  beforeAll(async () => {
    trades = JSON.parse(gunzipSync(readFileSync(recorded(file))).toString('utf8')) as RecordedTrade[];
    const rows = trades.map(({ id, price, qty, time, isBuyerMaker }) =>
      [id, price, qty, id, id, time, isBuyerMaker].map(String),
    );
    bars = barsOfTape(rows, symbol, 60_000);
    market = {
      now: trades.at(-1)!.time + 3_600_000,
      tickSize: '0.000001',
      lotStep: '0.0001',
      klines: new Map(),
    };
    exchange = await klineStandIn(symbol, market);
    server = await startPostgres();
  });
  afterAll(async () => {
    await exchange.close();
    await server.stop();
  });

  beforeEach(async () => {
    for (const bar of bars)
      market.klines.set(bar.windowStart, {
        ...exactKline(bar),
        quoteVolume: textOf(sumOfCut(bar, () => true)),
        takerBuyQuoteVolume: textOf(sumOfCut(bar, ({ isBuyerMaker }) => !isBuyerMaker)),
      });
    address = await server.database();
    pool = createPool(address);
    const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
    await createSchema(pool, names).migrate();
    await countBars(pool, bars, [`[${trades[0]!.id},${trades.at(-1)!.id}]`]);
    return () => pool.end();
  });

  async function judge(): Promise<SymbolReport> {
    const { out } = await callCli(['verify', '--exchange', exchange.url, '--json'], {
      PGHOST: address.host,
      PGPORT: String(address.port),
      PGDATABASE: address.database,
      POSTGRES_USER: address.user,
      POSTGRES_PASSWORD: address.password,
    });
    return (JSON.parse(out) as VerifyReport).symbols[0]!;
  }

  it('are equal but for the cut in every whole minute', async () => {
    const { minutes, isProven } = await judge();
    const inner = minutes.slice(1, -1);
    expect(inner.length).toBe(bars.length - 2);
    expect(inner.length).toBeGreaterThan(0);
    expect([isProven, new Set(inner.map(({ verdict }) => verdict))]).toEqual([
      true,
      new Set(['equal (quote cut)']),
    ]);
  });

  it.for(['quoteVolume', 'takerBuyQuoteVolume'] as const)(
    '%s is different where more than 1e-8 of each trade is missing, or anything is too much',
    async (field) => {
      const bar = bars[1]!;
      const count = field === 'quoteVolume' ? bar.tradeCount : bar.takerBuyTradeCount;
      // Ours has more than 8 decimals, so that the lowest explained value is this one, and ours cut is the highest.
      const highest = cutUnits(bar[field]);
      const lowest = highest - BigInt(count) + 1n;
      const answers: [bigint, string][] = [
        [lowest - 1n, 'different'],
        [lowest, 'equal (quote cut)'],
        [highest, 'equal (quote cut)'],
        [highest + 1n, 'different'],
      ];
      for (const [units, verdict] of answers) {
        market.klines.set(bar.windowStart, {
          ...market.klines.get(bar.windowStart)!,
          [field]: textOf(units),
        });
        const minute = (await judge()).minutes[1]!;
        expect([units - highest, minute.verdict]).toEqual([units - highest, verdict]);
        expect(minute.differences.map((difference) => difference.field)).toEqual(
          verdict === 'different' ? [field] : [],
        );
      }
    },
  );
});
