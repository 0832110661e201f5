import type { Tick } from './tick.js';

/** The source name of Binance's spot market: its ids are one id space. */
export const binanceSpot = 'binance-spot';

/** A trade as read from the wire, or the reason why it is none, in words for a person. */
export type TradeReading =
  { readonly tick: Tick; readonly reason?: never } | { readonly tick?: never; readonly reason: string };

const decimalText = /^\d{1,30}(?:\.\d{1,18})?$/;
// 2286 in milliseconds, 1970 in microseconds: a time beyond it is in another unit.
const endOfMilliseconds = 1e13;

const isId = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;

/**
 * Reads one aggregate trade of Binance's REST protocol, `{a, p, q, f, l, T, m, M}`; amounts stay the texts that they are.
 *
 * Total: whatever comes in, a tick or a reason comes out. Only what cannot be said as a tick is refused; what is odd but
 * well-formed (a neutralised row with first id -1, a price of 0) is passed on as it is, for the job to judge.
 *
 * @see https://github.com/binance/binance-spot-api-docs/blob/master/rest-api.md (compressed/aggregate trades list)
 */
export function parseAggTrade(symbol: string, raw: unknown): TradeReading {
  if (typeof raw !== 'object' || raw === null) return { reason: 'it is not an object' };
  const { a, p, q, f, l, T, m } = raw as Record<string, unknown>;
  if (!isId(a, 0)) return { reason: 'its id `a` is not a whole number from 0 on' };
  if (!isId(f, -1)) return { reason: 'its first trade id `f` is not a whole number' };
  if (!isId(l, -1)) return { reason: 'its last trade id `l` is not a whole number' };
  if (typeof p !== 'string' || !decimalText.test(p)) return { reason: 'its price `p` is not a decimal text' };
  if (typeof q !== 'string' || !decimalText.test(q))
    return { reason: 'its quantity `q` is not a decimal text' };
  if (!isId(T, 0) || T >= endOfMilliseconds) return { reason: 'its time `T` is not in milliseconds' };
  if (typeof m !== 'boolean') return { reason: 'its flag `m` is not true or false' };
  return {
    tick: {
      source: binanceSpot,
      symbol,
      aggTradeId: a,
      firstTradeId: f,
      lastTradeId: l,
      price: p,
      quantity: q,
      eventTime: T,
      buyerIsMaker: m,
    },
  };
}
