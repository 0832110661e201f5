import { describe, expect, it } from 'vitest';
import type { TapeOddities } from '../../../src/core/ports/sandbox.js';
import { intervalNamed } from '../../../src/sandbox/intervals.js';
import { SymbolKlines, type SandboxKline } from '../../../src/sandbox/klines.js';
import { GeneratedTape } from '../../../src/sandbox/tapes/generated.js';
import type { TapeTrade } from '../../../src/sandbox/tapes/tape.js';

const MINUTE = 60_000;
const BEGIN = Date.UTC(2026, 10, 23, 12);
const LATER = BEGIN + 64 * MINUTE;
const plain: TapeOddities = { hasBursts: false, hasNeutralised: false, hasHalts: false, halts: [] };
const all: TapeOddities = { ...plain, hasBursts: true, hasNeutralised: true, hasHalts: true };

const aTape = (oddities?: TapeOddities, begin = BEGIN): GeneratedTape =>
  new GeneratedTape({
    ...{ symbol: 'BTCUSDT', seed: '1', ratePerSecond: 40, begin },
    ...(oddities === undefined ? {} : { oddities }),
  });
const between = (tape: GeneratedTape, from: number, to: number): TapeTrade[] =>
  tape.trades(tape.positionAt(from), tape.positionAt(to));
const minuteBars = (tape: GeneratedTape): SandboxKline[] =>
  new SymbolKlines(tape).select({
    ...{ interval: intervalNamed('1m')!, start: BEGIN, end: LATER - 1, limit: 1000, now: LATER },
  });
const perMs = (trades: readonly TapeTrade[]): number[] => {
  const counts = new Map<number, number>();
  for (const { time } of trades) counts.set(time, (counts.get(time) ?? 0) + 1);
  return [...counts.values()];
};

describe('a generated tape with oddities', () => {
  it('without any is the plain one', () => {
    expect(between(aTape(plain), BEGIN, BEGIN + MINUTE)).toEqual(between(aTape(), BEGIN, BEGIN + MINUTE));
  });

  it.each([
    ['each kind', all],
    ['a long halt', { ...all, halts: [{ from: BEGIN + 10 * MINUTE, to: BEGIN + 55 * MINUTE }] }],
  ])('with %s keeps ids contiguous, times in order, and finds by id and by time what it lists', (_, odd) => {
    const tape = aTape(odd);
    const trades = between(tape, BEGIN, LATER);
    expect(trades.map(({ id }) => id)).toEqual(trades.map((__, index) => trades[0]!.id + index));
    expect(trades.every(({ time }, index) => time >= (trades[index - 1]?.time ?? 0))).toBe(true);
    for (let at = 0; at < trades.length; at += 997) {
      const { id, time } = trades[at]!;
      expect(tape.positionOfId(id)).toBe(id);
      expect(tape.positionAt(time)).toBe(trades.find((other) => other.time === time)!.id);
    }
    const later = between(aTape(odd, BEGIN + 30 * MINUTE), BEGIN + 30 * MINUTE, LATER);
    expect(later).toEqual(trades.filter(({ time }) => time >= BEGIN + 30 * MINUTE));
  });

  it('has bursts of 735 trades in one millisecond, and fewer than that without', () => {
    const bursts = perMs(between(aTape({ ...plain, hasBursts: true }), BEGIN, LATER));
    expect(bursts.filter((count) => count >= 735).length).toBeGreaterThanOrEqual(5);
    expect(Math.max(...perMs(between(aTape(), BEGIN, LATER)))).toBeLessThan(735);
  });

  it('has neutralised rows that keep their id, miss no raw id and count as nothing', () => {
    const tape = aTape({ ...plain, hasNeutralised: true });
    const trades = between(tape, BEGIN, LATER);
    const neutralised = trades.filter(({ firstTradeId }) => firstTradeId < 0);
    expect(neutralised.length / trades.length).toBeCloseTo(1 / 300, 3);
    for (const row of neutralised)
      expect(row).toMatchObject({ lastTradeId: -1, price: 0n, quantity: 0n, buyerIsMaker: false });
    const counted = trades.filter(({ firstTradeId }) => firstTradeId >= 0);
    expect(
      counted.filter((row, index) => index > 0 && row.firstTradeId !== counted[index - 1]!.lastTradeId + 1),
    ).toEqual([]);
    const bars = minuteBars(tape);
    expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(
      counted.at(-1)!.lastTradeId - counted[0]!.firstTradeId + 1,
    );
    expect(bars.every(({ low }) => low > 0n)).toBe(true);
  });

  it('has one or two minutes without trades and klines in each 16 when halted from the seed', () => {
    const tape = aTape({ ...plain, hasHalts: true });
    const opens = new Set(minuteBars(tape).map(({ openTime }) => openTime));
    const missing = Array.from({ length: 64 }, (_, index) => BEGIN + index * MINUTE).filter(
      (open) => !opens.has(open),
    );
    expect(missing.length).toBeGreaterThanOrEqual(4);
    expect(missing.length).toBeLessThanOrEqual(9);
    for (const open of missing) {
      expect(tape.isHaltedAt(open)).toBe(true);
      expect(between(tape, open, open + MINUTE)).toEqual([]);
    }
  });

  it('has no klines in a halt that was named, and goes on with the next id at its end', () => {
    const halt = { from: BEGIN + 5 * MINUTE, to: BEGIN + 45 * MINUTE };
    const tape = aTape({ ...plain, halts: [halt] });
    expect(minuteBars(tape).filter(({ openTime }) => openTime >= halt.from && openTime < halt.to)).toEqual(
      [],
    );
    expect(minuteBars(tape)).toHaveLength(24);
    expect(between(tape, halt.from, halt.to)).toEqual([]);
    const before = between(tape, BEGIN, halt.from).at(-1)!;
    const after = between(tape, halt.to, LATER)[0]!;
    expect([after.id, after.firstTradeId]).toEqual([before.id + 1, before.lastTradeId + 1]);
    const fives = new SymbolKlines(tape).select({
      ...{ interval: intervalNamed('5m')!, start: undefined, end: LATER - 1, limit: 5, now: LATER },
    });
    // A limit is filled from before the halt.
    expect(fives.map(({ openTime }) => (openTime - BEGIN) / MINUTE)).toEqual([0, 45, 50, 55, 60]);
  });
});
