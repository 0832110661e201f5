import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBarStore } from '../../src/adapters/postgres-bars.js';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows } from '../../src/adapters/postgres.js';
import { aBar } from '../support/bars.js';
import { countBars } from '../support/count-bars.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

const intervalMs = 15_000;
const source = `binance-spot-ticker-${intervalMs}`;
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

/** One batch of samples of one minute; the four slots of a minute are 0 to 3. */
async function sample(
  symbol: string,
  minute: number,
  slots: readonly number[],
  ofSource = source,
): Promise<void> {
  const ids = slots.map((slot) => begin / intervalMs + minute * 4 + slot);
  const [first, last] = [ids[0]!, ids.at(-1)!];
  const bar = aBar(minute, {
    ...{
      source: ofSource,
      symbol,
      windowStart: begin + minute * 60_000,
      tradeCount: ids.length,
      takerBuyTradeCount: 0,
    },
    ...{ volume: '0', quoteVolume: '0', takerBuyVolume: '0', takerBuyQuoteVolume: '0' },
    ...{
      firstAggTradeId: first,
      lastAggTradeId: last,
      firstTradeId: first,
      lastTradeId: last,
      isFinal: false,
    },
  });
  await countBars(
    pool,
    [bar],
    ids.map((id) => `[${id},${id}]`),
  );
}

const minutesOf = async (symbol: string, ofSource = source): Promise<[number, number, boolean][]> => {
  const rows = await queryRows<{ minute: number; trade_count: number; is_final: boolean }>(
    pool,
    `SELECT ((extract(epoch FROM window_start) * 1000 - $3) / 60000)::int AS minute, trade_count, is_final
     FROM crypto.candles_1min WHERE source = $1 AND symbol = $2 ORDER BY 1`,
    [ofSource, symbol, begin],
  );
  return rows.map(({ minute, trade_count, is_final }) => [minute, trade_count, is_final]);
};

describe("a ticker's bar", () => {
  it('counts samples, and is final at once where every slot is there, as the counting rule has it', async () => {
    await sample('WHOLE', 0, [0, 1, 2, 3]);
    await sample('WHOLE', 1, [0, 1, 2, 3]);
    await sample('WHOLE', 2, [0]);
    expect(await minutesOf('WHOLE')).toEqual([
      [0, 4, true],
      [1, 4, true],
      [2, 1, false],
    ]);
  });

  it('with missed slots is final when a minute beyond the next has a sample, not before', async () => {
    await sample('MISSED', 0, [1, 3]);
    await sample('MISSED', 1, [0, 2]);
    expect((await minutesOf('MISSED')).map(([, , isFinal]) => isFinal)).toEqual([false, false]);
    await sample('MISSED', 0, [2]);
    await sample('MISSED', 2, [0]);
    expect(await minutesOf('MISSED')).toEqual([
      [0, 3, true],
      [1, 2, false],
      [2, 1, false],
    ]);
  });

  it('is never quiet: a minute without a sample was missed, and has no bar', async () => {
    await sample('GAP', 0, [0, 1, 2, 3]);
    await sample('GAP', 3, [0, 1]);
    expect(await minutesOf('GAP')).toEqual([
      [0, 4, true],
      [3, 2, false],
    ]);
    // Slots longer than a minute leave minutes between two neighbours that nobody has looked at.
    await countBars(
      pool,
      [0, 5].map((at) =>
        aBar(at, {
          source: 'x-ticker-300000',
          symbol: 'GAP',
          firstAggTradeId: 7 + at / 5,
          lastAggTradeId: 7 + at / 5,
          isFinal: false,
        }),
      ),
      ['[7,8]'],
    );
    expect((await minutesOf('GAP', 'x-ticker-300000')).map(([minute]) => minute)).toEqual([0, 5]);
  });

  it('leaves no hole: the same gap of a source of trades is one', async () => {
    await sample('SLOTS', 0, [0, 3]);
    await sample('SLOTS', 0, [0, 3], 'binance-spot');
    const store = createBarStore(pool);
    expect(await store.holes(source)).toEqual([]);
    expect(await store.holes('binance-spot')).toMatchObject([
      { symbol: 'SLOTS', firstId: begin / intervalMs + 1, lastId: begin / intervalMs + 2 },
    ]);
    const freshness = (await store.freshness()).filter(({ symbol }) => symbol === 'SLOTS');
    expect(freshness.map(({ source: of, holes, missingIds }) => [of, holes, missingIds])).toEqual([
      ['binance-spot', 1, 2],
      [source, 0, 0],
    ]);
  });

  it('does not make bars of trades final: those wait for their proof', async () => {
    await sample('TRADES', 0, [0, 2], 'binance-spot');
    await sample('TRADES', 1, [0], 'binance-spot');
    await sample('TRADES', 5, [0], 'binance-spot');
    expect((await minutesOf('TRADES', 'binance-spot')).map(([, , isFinal]) => isFinal)).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('which sources are tickers', () => {
  it.each([
    ['binance-spot-ticker-5000', true],
    ['binance-spot', false],
    ['binance-spot-ticker', false],
    ['binance-spot-ticker-', false],
    ['binance-spot-ticker-5000-x', false],
  ])('%s: %s', async (name, isTicker) => {
    expect(await queryRows(pool, 'SELECT crypto.is_ticker($1) AS is_ticker', [name])).toEqual([
      { is_ticker: isTicker },
    ]);
  });
});
