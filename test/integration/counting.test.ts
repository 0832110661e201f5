import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows } from '../../src/adapters/postgres.js';
import { countBatch, type TestTrade } from '../support/count-trades.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

const begin = Date.UTC(2024, 7, 8, 12);
let server: TestPostgres;
let pool: pg.Pool;
let symbol: string;
let made = 0;

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

/** Trades of one minute, with the ids from `first` to `last`. */
const trades = (minute: number, first: number, last = first, isNeutralised = false): TestTrade[] =>
  Array.from({ length: last - first + 1 }, (_, index) => ({
    id: first + index,
    time: begin + minute * 60_000 + index,
    price: 100 + ((first + index) % 7),
    isNeutralised,
  }));
const neutralised = (minute: number, id: number): TestTrade[] => trades(minute, id, id, true);
const aSymbol = (): string => `S${(made += 1)}`;
const count = (...batch: readonly TestTrade[][]): Promise<void> => countBatch(pool, symbol, batch.flat());

interface BarRow {
  readonly minute: number;
  readonly is_final: boolean;
  readonly first_agg_trade_id: number;
  readonly last_agg_trade_id: number;
}

const barsOf = (name: string): Promise<BarRow[]> =>
  queryRows<BarRow & pg.QueryResultRow>(
    pool,
    `SELECT ((extract(epoch FROM window_start) * 1000 - $2) / 60000)::int AS minute, finalized_at IS NOT NULL AS is_final,
       open_price, high_price, low_price, close_price, volume, quote_volume, taker_buy_volume, taker_buy_quote_volume,
       trade_count, taker_buy_trade_count, first_agg_trade_id, last_agg_trade_id, first_trade_id, last_trade_id
     FROM crypto.crypto_prices_agg_1min WHERE source = 'test' AND symbol = $1 ORDER BY window_start`,
    [name, begin],
  );
const finalMinutes = async (): Promise<number[]> =>
  (await barsOf(symbol)).filter(({ is_final }) => is_final).map(({ minute }) => minute);

describe('a bar is final', () => {
  it('when one range of ids reaches from the trade before it to the trade after it', async () => {
    symbol = aSymbol();
    await count(trades(0, 7, 9), trades(1, 10, 12), trades(2, 13));
    expect(await finalMinutes()).toEqual([1]);
  });

  it('as the first of all only where the ids begin at 0', async () => {
    symbol = aSymbol();
    await count(trades(0, 0, 2), trades(1, 3));
    expect(await finalMinutes()).toEqual([0]);
    symbol = aSymbol();
    await count(trades(0, 1, 2), trades(1, 3));
    expect(await finalMinutes()).toEqual([]);
  });

  it('beside a quiet minute by the trades around that', async () => {
    symbol = aSymbol();
    await count(trades(0, 1), trades(2, 2), trades(9, 3));
    expect(await finalMinutes()).toEqual([2]);
  });

  it('not by a neutralised row beside a hole, only when the hole is filled', async () => {
    symbol = aSymbol();
    await count(trades(0, 1), trades(1, 2, 3), neutralised(1, 4), trades(2, 6));
    expect(await finalMinutes()).toEqual([]);
    await count(trades(2, 5));
    expect(await finalMinutes()).toEqual([1]);
    symbol = aSymbol();
    await count(trades(0, 1), neutralised(1, 3), trades(1, 4), trades(2, 5));
    expect(await finalMinutes()).toEqual([]);
    await count(neutralised(0, 2));
    expect(await finalMinutes()).toEqual([1]);
  });

  it('not while an id is missing in it or at its edges', async () => {
    for (const missing of [4, 5, 6, 8, 9]) {
      symbol = aSymbol();
      const all = [...trades(0, 1, 4), ...trades(1, 5, 8), ...trades(2, 9, 10)];
      await count(all.filter(({ id }) => id !== missing));
      // Without 4 or 9 the minute ends at 3 or begins at 10: the hole still lies between.
      expect([missing, await finalMinutes()]).toEqual([missing, []]);
      await count(all.filter(({ id }) => id === missing));
      expect(await finalMinutes()).toEqual([1]);
    }
  });

  it('never where its ids interleave with those of a neighbour', async () => {
    symbol = aSymbol();
    await count(
      trades(0, 1),
      trades(1, 2),
      trades(2, 3),
      trades(1, 4),
      trades(2, 5),
      trades(3, 6),
      trades(4, 7),
    );
    await count(trades(5, 8));
    expect(await finalMinutes()).toEqual([3, 4]);
  });

  it('after late history: exactly those that it proves', async () => {
    symbol = aSymbol();
    await count(trades(5, 50, 54), trades(6, 55, 59), trades(7, 60, 64));
    expect(await finalMinutes()).toEqual([6]);
    await count(trades(2, 30, 34), trades(3, 35, 39), trades(4, 40, 47));
    expect(await finalMinutes()).toEqual([3, 6]);
    await count(trades(4, 48, 49));
    expect(await finalMinutes()).toEqual([3, 4, 5, 6]);
    await count(trades(1, 29));
    expect(await finalMinutes()).toEqual([2, 3, 4, 5, 6]);
  });
});

describe('the coverage', () => {
  it('shows what is missing as holes, and forgets them when they are filled', async () => {
    symbol = aSymbol();
    await count(trades(0, 10, 12), trades(1, 15), trades(2, 20));
    const holes = (): Promise<unknown[]> =>
      queryRows(pool, 'SELECT first_id, last_id FROM crypto.holes WHERE symbol = $1 ORDER BY first_id', [
        symbol,
      ]);
    expect(await holes()).toEqual([
      { first_id: 13, last_id: 14 },
      { first_id: 16, last_id: 19 },
    ]);
    await count(trades(0, 13, 14), trades(1, 16, 18));
    expect(await holes()).toEqual([{ first_id: 19, last_id: 19 }]);
  });
});

describe('a final bar', () => {
  const change = /is final since .* and cannot change/;

  it('cannot be changed, neither by merging nor by hand', async () => {
    symbol = aSymbol();
    await count(trades(0, 1), trades(1, 2, 3), trades(2, 4));
    const before = await barsOf(symbol);
    const partial = `jsonb_agg(to_jsonb(bar)) FROM crypto.crypto_prices_agg_1min AS bar
      WHERE symbol = '${symbol}' AND first_agg_trade_id = 2`;
    await expect(queryRows(pool, `SELECT crypto.merge_bars((SELECT ${partial}))`)).rejects.toThrow(change);
    await expect(
      queryRows(
        pool,
        `UPDATE crypto.crypto_prices_agg_1min SET volume = volume WHERE symbol = $1 AND finalized_at IS NOT NULL`,
        [symbol],
      ),
    ).rejects.toThrow(change);
    expect(await barsOf(symbol)).toEqual(before);
  });

  it('is named when a new trade claims its minute', async () => {
    symbol = aSymbol();
    await count(trades(0, 1), trades(1, 2, 3), trades(2, 4));
    await expect(count(trades(1, 90))).rejects.toThrow('claims a final minute');
    await count(trades(2, 90));
  });
});

/** Trades in order of id and time, some neutralised, some missing, and a way to send them: any order, any repeats. */
const histories = fc
  .record({
    firstId: fc.constantFrom(0, 1, 1000),
    steps: fc.array(
      fc.record({
        minutes: fc.constantFrom(0, 0, 0, 1, 1, 2),
        price: fc.integer({ min: 1, max: 999 }),
        kind: fc.constantFrom('trade', 'trade', 'trade', 'trade', 'trade', 'neutralised', 'missing'),
      }),
      { minLength: 1, maxLength: 40 },
    ),
  })
  .map(({ firstId, steps }) => {
    let minute = 0;
    return steps
      .map(({ minutes, price, kind }, index) => {
        minute += minutes;
        const time = begin + minute * 60_000 + index;
        return { id: firstId + index, time, price, kind, isNeutralised: kind === 'neutralised' };
      })
      .filter(({ kind }) => kind !== 'missing');
  })
  .filter((history) => history.length > 0)
  .chain((history) =>
    fc.array(fc.nat(history.length - 1), { maxLength: 15 }).chain((repeats) => {
      const sent = [...history, ...repeats.map((at) => history[at]!)];
      return fc.tuple(
        fc.constant(history),
        fc.shuffledSubarray(sent, { minLength: sent.length, maxLength: sent.length }),
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 12 }),
      );
    }),
  );

function splitBy(sent: readonly TestTrade[], sizes: readonly number[]): TestTrade[][] {
  const batches: TestTrade[][] = [];
  for (let at = 0; at < sent.length;) {
    const size = sizes[batches.length % sizes.length]!;
    batches.push(sent.slice(at, at + size));
    at += size;
  }
  return batches;
}

/** The rule of finality in other words: every id from the last of the bar before to the first of the bar after is there. */
function finalByRule(bars: readonly BarRow[], history: readonly TestTrade[]): number[] {
  const there = new Set(history.map(({ id }) => id));
  const isWhole = (from: number, to: number): boolean =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index).every((id) => there.has(id));
  return bars.flatMap(({ minute }, at) => {
    const [before, after] = [bars[at - 1], bars[at + 1]];
    if (after === undefined) return [];
    return isWhole(before?.last_agg_trade_id ?? 0, after.first_agg_trade_id) ? [minute] : [];
  });
}

describe('counting', () => {
  it('gives the same bars, coverage and finality for any batches, any order and any repeats', async () => {
    const coverageOf = (name: string): Promise<unknown[]> =>
      queryRows(pool, 'SELECT ids FROM crypto.coverage WHERE symbol = $1', [name]);
    await fc.assert(
      fc.asyncProperty(histories, async ([history, sent, sizes]) => {
        const [atOnce, inParts] = [aSymbol(), aSymbol()];
        await countBatch(pool, atOnce, history);
        for (const batch of splitBy(sent, sizes)) await countBatch(pool, inParts, batch);
        const bars = await barsOf(atOnce);
        expect(await barsOf(inParts)).toEqual(bars);
        expect(await coverageOf(inParts)).toEqual(await coverageOf(atOnce));
        expect(bars.filter(({ is_final }) => is_final).map(({ minute }) => minute)).toEqual(
          finalByRule(bars, history),
        );
      }),
      { numRuns: 80 },
    );
  });
});
