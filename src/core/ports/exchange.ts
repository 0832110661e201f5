import type { Tick } from '../tick.js';
import type { TradeRow } from '../trade-row.js';

/** What the exchange says of a symbol; sizes are exact decimal texts. */
export interface ExchangeSymbol {
  readonly symbol: string;
  readonly status: string;
  readonly tickSize: string;
  readonly lotStep: string;
}

/** A bar as the exchange computed it. Times are epoch milliseconds, amounts exact decimal texts. */
export interface Kline {
  readonly openTime: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly quoteVolume: string;
  readonly tradeCount: number;
  readonly takerBuyVolume: string;
  readonly takerBuyQuoteVolume: string;
}

/** Which aggregate trades are wanted: by id, from a time on, or the newest. Never id and time together. */
export type TradeQuery =
  | { readonly symbol: string; readonly limit: number; readonly fromId: number }
  | { readonly symbol: string; readonly limit: number; readonly startTime: number }
  | { readonly symbol: string; readonly limit: number };

/** The most trades that one answer holds, and the request weight of one, whatever it holds (since 2025-03-10). */
export const tradePage = { rows: 1000, weight: 4 } as const;

/** A pause that the exchange or its limits impose, for the progress line. */
export interface ExchangeWait {
  readonly reason: string;
  readonly ms: number;
}

/** The newest price of a symbol, an exact decimal text; 0 where nothing was ever traded. */
export interface SymbolPrice {
  readonly symbol: string;
  readonly price: string;
}

/** The market data of one exchange, over REST. What may pass is tried again; a symbol that it does not list is an UnknownSymbolError. */
export interface Exchange {
  /** Epoch milliseconds of the exchange's own clock. */
  serverTime(signal?: AbortSignal): Promise<number>;
  /** Those of the names that the exchange lists, in the order asked for. */
  symbols(names: readonly string[], signal?: AbortSignal): Promise<ExchangeSymbol[]>;
  /** Up to `limit` (at most 1,000) trades in order of id; empty when there are none. Rows that cannot be read are left out. */
  trades(query: TradeQuery, signal?: AbortSignal): Promise<Tick[]>;
  /** As `trades`, with the rows that cannot be read, and why. */
  tradeRows(query: TradeQuery, signal?: AbortSignal): Promise<TradeRow[]>;
  /** The last price of each symbol that the exchange lists, in one request however many they are. */
  prices(symbols: readonly string[], signal?: AbortSignal): Promise<SymbolPrice[]>;
  /** One-minute bars whose open time lies in [startTime, endTime], at most 1,000, oldest first. */
  klines(
    query: { readonly symbol: string; readonly startTime: number; readonly endTime: number },
    signal?: AbortSignal,
  ): Promise<Kline[]>;
}

/** The exchange's archive of one-minute bars, one file a UTC day. */
export interface KlineArchive {
  /**
   * All bars of a day, oldest first; undefined where the archive does not have the day (yet).
   * @param day epoch ms of its beginning
   */
  klinesOfDay(symbol: string, day: number, signal?: AbortSignal): Promise<Kline[] | undefined>;
}
