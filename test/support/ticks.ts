import type { Tick } from '../../src/core/tick.js';

/** A trade that differs only where a test says so. */
export function aTick(fields: Partial<Tick> = {}): Tick {
  const id = fields.aggTradeId ?? 1;
  return {
    source: 'binance-spot',
    symbol: 'BTCUSDT',
    aggTradeId: id,
    firstTradeId: id * 2,
    lastTradeId: id * 2 + 1,
    price: '60000.10000000',
    quantity: '0.00100000',
    eventTime: 1_700_000_000_000 + id * 100,
    buyerIsMaker: false,
    ...fields,
  };
}

/** Trades with the ids from `first` to `last`, both included. */
export const ticksFrom = (first: number, last: number, symbol = 'BTCUSDT'): Tick[] =>
  Array.from({ length: last - first + 1 }, (_, index) => aTick({ aggTradeId: first + index, symbol }));
