import { describe, expect, it } from 'vitest';
import { GapBook, type OpenGap } from '../../../src/core/gap.js';

const gap = (firstId: number, lastId: number, symbol = 'BTCUSDT'): OpenGap => ({
  symbol,
  why: 'jump',
  firstId,
  lastId,
  openedAt: 100,
});

describe('the book of gaps', () => {
  it('tells a gap once, when Kafka has its last trade', () => {
    const book = new GapBook();
    book.add(gap(10, 19));
    expect(book.acknowledged('BTCUSDT', 18, 200)).toEqual([]);
    expect(book.acknowledged('ETHUSDT', 99, 300)).toEqual([]);
    expect(book.acknowledged('BTCUSDT', 25, 400)).toEqual([{ ...gap(10, 19), filledAt: 400 }]);
    expect(book.acknowledged('BTCUSDT', 30, 500)).toEqual([]);
  });

  it('counts gaps and the trades in them, each symbol for itself', () => {
    const book = new GapBook();
    [gap(10, 19), gap(30, 30), gap(5, 6, 'ETHUSDT')].forEach((one) => book.add(one));
    book.acknowledged('BTCUSDT', 30, 400);
    expect(book.countOf('BTCUSDT')).toEqual({ gaps: 2, ids: 11 });
    expect(book.countOf('ETHUSDT')).toEqual({ gaps: 0, ids: 0 });
  });
});
