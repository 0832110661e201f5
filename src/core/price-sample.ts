import type { SymbolPrice } from './ports/exchange.js';
import type { Tick } from './tick.js';
import { binanceSpot } from './trade.js';

const minuteMs = 60_000;

/** The source of a ticker's samples: its ids are slots of this length, so the length is part of its name. */
export const tickerSource = (intervalMs: number): string => `${binanceSpot}-ticker-${intervalMs}`;

/** Whether a source's ids are slots; the same rule as `crypto.is_ticker`. */
export const isTickerSource = (source: string): boolean => /-ticker-\d+$/.test(source);

/** Whether every minute holds the same number of whole slots: only then do the bars of two minutes compare. */
export const dividesMinute = (intervalMs: number): boolean => intervalMs > 0 && minuteMs % intervalMs === 0;

/** The allowed intervals right below and above one that is not, in ms. */
export function intervalsAround(intervalMs: number): readonly number[] {
  const allowed = Array.from({ length: minuteMs }, (_, index) => index + 1).filter(dividesMinute);
  const around = [allowed.findLast((one) => one < intervalMs), allowed.find((one) => one > intervalMs)];
  return around.filter((one) => one !== undefined);
}

/** The sample of one slot: its only id is the slot, its time the slot's beginning, and it has no volume. */
export function priceSample({ symbol, price }: SymbolPrice, slot: number, intervalMs: number): Tick {
  return {
    source: tickerSource(intervalMs),
    symbol,
    aggTradeId: slot,
    firstTradeId: slot,
    lastTradeId: slot,
    price,
    quantity: '0',
    eventTime: slot * intervalMs,
    buyerIsMaker: false,
  };
}
