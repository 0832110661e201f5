import { describe, expect, it } from 'vitest';
import { changedCandles, chooseView, parseWish, type Candle } from '../../../src/core/dashboard.js';
import { UsageError } from '../../../src/core/errors.js';

const candle = (at: number, close = '1'): Candle => ({
  ...{ at, open: '1', high: '1', low: '1', close, volume: '1', trades: 1, proof: 'final', findings: [] },
});
const series = (symbol: string, newestTradeAt: number, source = 'binance-spot') => ({
  ...{ source, symbol, newestTradeAt, holes: 0, missingIds: 0 },
});

describe('what a page wishes', () => {
  it('is taken where it makes sense', () => {
    expect(parseWish({ symbol: 'BTCUSDT', interval: '5m' })).toEqual({ symbol: 'BTCUSDT', interval: '5m' });
    for (const wrong of [{ symbol: '<b>' }, { source: 'a b' }, { interval: '2m' }, { interval: 'toString' }])
      expect(() => parseWish(wrong)).toThrow(UsageError);
  });

  it('is chosen for it: the preferred symbols, else the newest, and sample rows only when asked for', () => {
    const there = [series('A', 1), series('B', 3), series('C', 2), series('S', 9, 'sample')];
    expect(chooseView({}, there, ['X', 'C'])).toEqual({
      source: 'binance-spot',
      symbol: 'C',
      interval: '1m',
    });
    expect(chooseView({}, there, [])).toMatchObject({ symbol: 'B' });
    expect(chooseView({ symbol: 'A', interval: '1h' }, there, ['C'])).toMatchObject({
      symbol: 'A',
      interval: '1h',
    });
    expect(chooseView({ symbol: 'S' }, there, [])).toBeUndefined();
    expect(chooseView({ source: 'sample' }, there, [])).toMatchObject({ symbol: 'S' });
    expect(chooseView({}, [], [])).toBeUndefined();
  });
});

describe('what has changed', () => {
  it('is the new and the other candles, and nothing when all is as it was', () => {
    const before = [candle(1), candle(2)];
    expect(changedCandles(before, [candle(1), candle(2, '5'), candle(3)])).toEqual([
      candle(2, '5'),
      candle(3),
    ]);
    expect(changedCandles(before, before)).toEqual([]);
  });

  it('is everything when one is gone; one that has left at the beginning is not gone', () => {
    expect(changedCandles([candle(1), candle(2)], [candle(1), candle(3)])).toBeUndefined();
    expect(changedCandles([candle(1), candle(2)], [candle(2)])).toEqual([]);
  });
});
