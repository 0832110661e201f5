import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { GeneratedTape } from '../../../src/sandbox/tapes/generated.js';
import type { TapeTrade } from '../../../src/sandbox/tapes/tape.js';

const BEGIN = Date.UTC(2026, 10, 23, 12);
const HOUR = 3_600_000;
const aTape = (overrides: Partial<ConstructorParameters<typeof GeneratedTape>[0]> = {}): GeneratedTape =>
  new GeneratedTape({ symbol: 'BTCUSDT', seed: '1', ratePerSecond: 20, begin: BEGIN, ...overrides });
const anHour = (tape: GeneratedTape): TapeTrade[] =>
  tape.trades(tape.positionAt(BEGIN), tape.positionAt(BEGIN + HOUR));
const digest = (trades: readonly TapeTrade[]): string =>
  createHash('sha256')
    .update(trades.map((trade) => Object.values(trade).join()).join('\n'))
    .digest('hex');

describe('a generated tape', () => {
  it('is the same for the same seed and another one for another seed, symbol or rate', () => {
    const expected = digest(anHour(aTape()));
    expect(digest(anHour(aTape()))).toBe(expected);
    for (const other of [{ seed: '2' }, { symbol: 'ETHUSDT' }, { ratePerSecond: 21 }])
      expect(digest(anHour(aTape(other)))).not.toBe(expected);
  });

  it('keeps its trades from one process and one version of the program to the next', () => {
    const tape = aTape();
    expect(tape.trades(tape.begin, tape.begin + 2)).toMatchInlineSnapshot(`
      [
        {
          "buyerIsMaker": true,
          "firstTradeId": 18732384002,
          "id": 6244128000,
          "isBestMatch": true,
          "lastTradeId": 18732384003,
          "price": 5160051000000n,
          "quantity": 47000n,
          "time": 1795435200095,
        },
        {
          "buyerIsMaker": true,
          "firstTradeId": 18732384004,
          "id": 6244128001,
          "isBestMatch": true,
          "lastTradeId": 18732384007,
          "price": 5160050000000n,
          "quantity": 12000n,
          "time": 1795435200095,
        },
      ]
    `);
    expect(digest(anHour(tape))).toMatchInlineSnapshot(
      `"5cb4861b327e1400e9ba705f931781824fe93a075e1dc3f95c546dbecf4cf806"`,
    );
  });

  it('has contiguous ids and contiguous raw ids that span 1 to 5 each', () => {
    const trades = anHour(aTape());
    const gaps = trades.slice(1).filter((trade, index) => {
      const previous = trades[index]!;
      return trade.id !== previous.id + 1 || trade.firstTradeId !== previous.lastTradeId + 1;
    });
    expect(gaps).toEqual([]);
    const spans = new Set(trades.map((trade) => trade.lastTradeId - trade.firstTradeId + 1));
    expect([...spans].sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it('never goes back in time, and many trades share one millisecond', () => {
    const trades = anHour(aTape());
    const perMillisecond = new Map<number, number>();
    for (const { time } of trades) perMillisecond.set(time, (perMillisecond.get(time) ?? 0) + 1);
    expect(trades.slice(1).filter(({ time }, index) => time < trades[index]!.time)).toEqual([]);
    expect(trades[0]!.time).toBeGreaterThanOrEqual(BEGIN);
    expect(Math.max(...perMillisecond.values())).toBeGreaterThanOrEqual(512);
  });

  it('answers any place the same, whether it walked there or was asked for it first', () => {
    const sequential = anHour(aTape());
    for (const index of [0, 1, 4_999, 31_234, sequential.length - 1]) {
      const expected = sequential[index]!;
      const fresh = aTape();
      expect(fresh.trades(expected.id, expected.id + 1)).toEqual([expected]);
      expect(fresh.positionAt(expected.time)).toBe(sequential.find(({ time }) => time === expected.time)?.id);
    }
  });

  it('has one quiet minute in each block of 16, and one that is much busier than the others', () => {
    const tape = aTape();
    const minutes = Array.from({ length: 64 }, (_, index) => BEGIN + index * 60_000).map(
      (start) => tape.positionAt(start + 60_000) - tape.positionAt(start),
    );
    expect(minutes.filter((count) => count === 0)).toHaveLength(4);
    expect(minutes.filter((count) => count > 3_000).length).toBeGreaterThanOrEqual(3);
    expect(minutes.reduce((sum, count) => sum + count, 0) / 64 / 60).toBeCloseTo(20, -1);
  });

  it('begins where it is told, with the ids that a longer tape has there', () => {
    const longer = aTape({ begin: BEGIN - HOUR });
    const tape = aTape();
    expect(tape.begin).toBe(longer.positionAt(BEGIN));
    expect(tape.positionOfId(0)).toBe(tape.begin);
    expect(tape.positionAt(BEGIN - HOUR)).toBe(tape.begin);
    expect(digest(anHour(longer))).toBe(digest(anHour(tape)));
  });

  it('moves like a market: on ticks, by less than 3 % in an hour, and not by jumps', () => {
    const prices = anHour(aTape()).map(({ price }) => price);
    expect(prices.every((price) => price > 0n && price % 1_000_000n === 0n)).toBe(true);
    const sorted = prices.map(Number).sort((left, right) => left - right);
    const [low, high] = [sorted[0]!, sorted.at(-1)!];
    expect(high / low).toBeGreaterThan(1.0005);
    expect(high / low).toBeLessThan(1.03);
    const steps = prices.slice(1).map((price, index) => Math.abs(Number(price - prices[index]!)) / low);
    expect(Math.max(...steps)).toBeLessThan(0.002);
  });

  it('keeps quote volumes exact: tick times lot is at least 10⁻⁸, for known names and for others', () => {
    for (const symbol of ['BTCUSDT', 'ETHBTC', 'DOGEUSDT', 'FOOUSDT', 'BARBTC', 'X', 'ZZZZEUR']) {
      const { tickUnits, lotUnits } = aTape({ symbol }).rules;
      expect(BigInt(tickUnits) * BigInt(lotUnits) >= 100_000_000n, symbol).toBe(true);
    }
  });
});
