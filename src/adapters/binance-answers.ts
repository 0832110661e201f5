import { z } from 'zod';
import type { ExchangeSymbol, Kline } from '../core/ports/exchange.js';

const decimal = z.string().regex(/^\d{1,30}(\.\d{1,18})?$/);
const count = z.number().int().nonnegative();

const rateLimit = z.object({
  rateLimitType: z.string(),
  interval: z.string(),
  intervalNum: z.number(),
  limit: z.number(),
});

const symbol = z.object({
  symbol: z.string(),
  status: z.string(),
  filters: z.array(
    z.object({ filterType: z.string(), tickSize: z.string().optional(), stepSize: z.string().optional() }),
  ),
});

/** What of /api/v3/exchangeInfo is read here; all else in it may change without harm. */
export const exchangeInfoAnswer = z.object({
  rateLimits: z.array(rateLimit).default([]),
  symbols: z.array(symbol),
});

export type ExchangeInfo = z.infer<typeof exchangeInfoAnswer>;

export const timeAnswer = z.object({ serverTime: count });

/** One row of /api/v3/klines: twelve columns, of which 0, 6 and 8 are numbers. */
const klineRow = z
  .tuple([count, decimal, decimal, decimal, decimal, decimal, count, decimal, count, decimal, decimal])
  .rest(z.unknown());

export const klinesAnswer = z.array(klineRow);

/** /api/v3/ticker/price of several symbols. */
export const pricesAnswer = z.array(z.object({ symbol: z.string(), price: decimal }));

/** The request weight that one address may use in a minute; undefined where exchangeInfo names none. */
export function weightLimit(info: ExchangeInfo): number | undefined {
  return info.rateLimits.find(
    (limit) =>
      limit.rateLimitType === 'REQUEST_WEIGHT' && limit.interval === 'MINUTE' && limit.intervalNum === 1,
  )?.limit;
}

export function toSymbol(raw: z.infer<typeof symbol>): ExchangeSymbol {
  const filter = (type: string): (typeof raw.filters)[number] | undefined =>
    raw.filters.find(({ filterType }) => filterType === type);
  return {
    symbol: raw.symbol,
    status: raw.status,
    tickSize: filter('PRICE_FILTER')?.tickSize ?? '0',
    lotStep: filter('LOT_SIZE')?.stepSize ?? '0',
  };
}

export function toKline(row: z.infer<typeof klineRow>): Kline {
  const [openTime, open, high, low, close, volume, , quoteVolume, tradeCount, takerBase, takerQuote] = row;
  return {
    openTime,
    open,
    high,
    low,
    close,
    volume,
    quoteVolume,
    tradeCount,
    takerBuyVolume: takerBase,
    takerBuyQuoteVolume: takerQuote,
  };
}
