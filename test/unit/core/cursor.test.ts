import { expect, it } from 'vitest';
import { cursorKey, cursorMessage, parseCursor } from '../../../src/core/cursor.js';

const cursor = {
  source: 'binance-spot',
  symbol: 'BTCUSDT',
  feed: 'poll',
  aggTradeId: 7,
  eventTime: 8,
  writtenAt: 9,
};

it('reads back what it wrote', () => {
  expect(parseCursor(cursorMessage(cursor))).toStrictEqual(cursor);
  for (const endedBy of ['order', 'caught up'] as const)
    expect(parseCursor(cursorMessage({ ...cursor, endedBy }))).toStrictEqual({ ...cursor, endedBy });
});

it('has one key for each source, symbol and feed', () => {
  expect(cursorKey(cursor)).toBe('binance-spot/BTCUSDT/poll');
});

it.each(['', 'null', '[]', '{', JSON.stringify({ ...cursor, aggTradeId: '7' })])(
  'sees that %j is no cursor',
  (text) => {
    expect(parseCursor(text)).toBeUndefined();
  },
);
