import { describe, expect, it } from 'vitest';
import { intervalNamed, shifted } from '../../../src/sandbox/intervals.js';
import { SymbolKlines, type SandboxKline } from '../../../src/sandbox/klines.js';
import { RecordedTape } from '../../../src/sandbox/tapes/recorded.js';
import { recordedRules } from '../../../src/sandbox/tapes/symbol-rules.js';
import type { TapeTrade } from '../../../src/sandbox/tapes/tape.js';
import { TradeColumns } from '../../../src/sandbox/tapes/trade-columns.js';

const MINUTE = 60_000;
const START = Date.UTC(2024, 7, 8, 23, 58);
const ONE = 100_000_000n;

const aTrade = (overrides: Partial<TapeTrade>): TapeTrade => ({
  id: 1,
  price: 100n * ONE,
  quantity: ONE,
  firstTradeId: 10,
  lastTradeId: 10,
  time: START,
  buyerIsMaker: true,
  isBestMatch: true,
  ...overrides,
});

/** Three trades in the first minute, a quiet minute, two trades after midnight. */
const trades = [
  aTrade({ id: 1, price: 100n * ONE, quantity: 2n * ONE, firstTradeId: 10, lastTradeId: 12, time: START }),
  aTrade({
    id: 2,
    price: 103n * ONE,
    quantity: ONE / 2n,
    firstTradeId: 13,
    lastTradeId: 13,
    time: START + 59_999,
    buyerIsMaker: false,
  }),
  aTrade({ id: 3, price: 99n * ONE, quantity: ONE, firstTradeId: 14, lastTradeId: 18, time: START + 59_999 }),
  aTrade({
    id: 4,
    price: 98n * ONE,
    quantity: 4n,
    firstTradeId: 19,
    lastTradeId: 19,
    time: START + 2 * MINUTE,
    buyerIsMaker: false,
  }),
  aTrade({
    id: 5,
    price: 101n * ONE,
    quantity: 3n,
    firstTradeId: 20,
    lastTradeId: 21,
    time: START + 2 * MINUTE + 500,
  }),
];

function klinesOf(
  rows: readonly TapeTrade[],
  published?: ConstructorParameters<typeof SymbolKlines>[1],
): SymbolKlines {
  const columns = new TradeColumns();
  for (const row of rows) columns.push(row);
  return new SymbolKlines(
    new RecordedTape(recordedRules('BTCUSDT', { tick: 1, lot: 1 }), columns),
    published,
  );
}

const select = (
  klines: SymbolKlines,
  query: Partial<Parameters<SymbolKlines['select']>[0]> & { readonly name?: string } = {},
): SandboxKline[] =>
  klines.select({
    interval: intervalNamed(query.name ?? '1m')!,
    start: undefined,
    end: undefined,
    limit: 500,
    now: START + 3 * MINUTE + 1,
    ...query,
  });

describe('klines of the sandbox', () => {
  it('sum a minute exactly: price by id, raw trades counted, taker sums from buys alone', () => {
    expect(select(klinesOf(trades), { end: START })).toEqual([
      {
        openTime: START,
        end: START + MINUTE,
        open: 100n * ONE,
        high: 103n * ONE,
        low: 99n * ONE,
        close: 99n * ONE,
        volume: (7n * ONE) / 2n,
        quoteVolume: ((2n * 100n * 2n + 103n + 99n * 2n) * ONE * ONE) / 2n,
        count: 9,
        takerVolume: ONE / 2n,
        takerQuoteVolume: (103n * ONE * ONE) / 2n,
      },
    ]);
  });

  it('are flat with zeros in a quiet minute, at the price before it', () => {
    const price = 99n * ONE;
    const none = { volume: 0n, quoteVolume: 0n, count: 0, takerVolume: 0n, takerQuoteVolume: 0n };
    const openTime = START + MINUTE;
    expect(select(klinesOf(trades), { start: openTime, end: openTime })).toEqual([
      { openTime, end: openTime + MINUTE, open: price, high: price, low: price, close: price, ...none },
    ]);
  });

  it('end with the one that is still open, made of the trades that are there by now', () => {
    const now = START + 2 * MINUTE + 499;
    const rows = select(klinesOf(trades), { now });
    expect(rows.map(({ openTime }) => (openTime - START) / MINUTE)).toEqual([0, 1, 2]);
    expect(rows[2]).toMatchObject({ close: 98n * ONE, count: 1 });
    const later = select(klinesOf(trades), { now: now + 1 });
    expect(later[2]).toMatchObject({ open: 98n * ONE, high: 101n * ONE, close: 101n * ONE, count: 3 });
  });

  it('are not changed by what was asked while a minute was open', () => {
    const klines = klinesOf(trades);
    select(klines, { now: START + 2 * MINUTE + 1 });
    expect(select(klines)).toEqual(select(klinesOf(trades)));
  });

  it('are selected by open time: the oldest from a start, the newest without one', () => {
    const opens = (query: Parameters<typeof select>[1]): number[] =>
      select(klinesOf(trades), query).map(({ openTime }) => (openTime - START) / MINUTE);
    expect(opens({ start: START + 1 })).toEqual([1, 2, 3]);
    expect(opens({ start: START, limit: 2 })).toEqual([0, 1]);
    expect(opens({ limit: 2 })).toEqual([2, 3]);
    expect(opens({ end: START + 2 * MINUTE - 1, limit: 1 })).toEqual([1]);
    expect(opens({ start: START + MINUTE, end: START + 2 * MINUTE })).toEqual([1, 2]);
    expect(opens({ start: START + 2 * MINUTE, end: START })).toEqual([]);
    expect(opens({ start: START - 100 * MINUTE, end: START - MINUTE })).toEqual([]);
  });

  it('of longer intervals open with the first trade even where their first minute is quiet', () => {
    const [, second] = select(klinesOf([trades[0]!, { ...trades[4]!, time: START + 3 * MINUTE }]), {
      name: '5m',
      now: START + 4 * MINUTE,
    });
    expect(second).toMatchObject({
      openTime: START + 2 * MINUTE,
      open: 101n * ONE,
      low: 101n * ONE,
      count: 2,
    });
  });

  it('say the same of a day whether cut into minutes, hours or days', () => {
    const total = (name: string): bigint =>
      select(klinesOf(trades), { name }).reduce((sum, { quoteVolume }) => sum + quoteVolume, 0n);
    const names = ['1s', '1m', '3m', '15m', '1h', '12h', '1d', '3d', '1w', '1M'];
    expect(names.map(total)).toEqual(names.map(() => total('1m')));
  });

  it('count a neutralised row as nothing', () => {
    const neutralised = aTrade({
      id: 4,
      price: 0n,
      quantity: 0n,
      firstTradeId: -1,
      lastTradeId: -1,
      time: START + MINUTE,
    });
    const rows = select(klinesOf([...trades.slice(0, 3), neutralised]));
    expect(rows[1]).toMatchObject({ low: 99n * ONE, close: 99n * ONE, count: 0 });
    expect(rows[2]).toMatchObject({ close: 99n * ONE, count: 0 });
  });

  it('come from the published ones where those are given and closed', () => {
    const mine = select(klinesOf(trades), { end: START })[0]!;
    const published = new Map([['1m', new Map([[START, { ...mine, count: 77 }]])]]);
    const counts = (now: number): number[] =>
      select(klinesOf(trades, published), { now }).map(({ count }) => count);
    expect(counts(START + MINUTE)).toEqual([77, 0]);
    expect(counts(START + MINUTE - 1)).toEqual([9]);
  });
});

describe('intervals', () => {
  it.each([
    ['1w', '2024-08-08T23:58:00Z', '2024-08-05T00:00:00Z', '2024-08-12T00:00:00Z'],
    ['1M', '2024-08-08T23:58:00Z', '2024-08-01T00:00:00Z', '2024-09-01T00:00:00Z'],
    ['1M', '2024-12-31T23:59:59Z', '2024-12-01T00:00:00Z', '2025-01-01T00:00:00Z'],
    ['8h', '2024-08-08T23:58:00Z', '2024-08-08T16:00:00Z', '2024-08-09T00:00:00Z'],
  ])('%s at %s opens at %s', (name, time, open, next) => {
    const interval = intervalNamed(name)!;
    expect(interval.openOf(Date.parse(time))).toBe(Date.parse(open));
    expect(interval.nextOpen(Date.parse(open))).toBe(Date.parse(next));
  });

  it('can be cut in another time zone', () => {
    const interval = shifted(intervalNamed('1d')!, 8 * 3_600_000);
    expect(interval.openOf(Date.parse('2024-08-08T17:00:00Z'))).toBe(Date.parse('2024-08-08T16:00:00Z'));
  });

  it('are case-sensitive', () => {
    expect(intervalNamed('1H')).toBeUndefined();
  });
});
