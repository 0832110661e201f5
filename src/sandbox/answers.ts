import { ApiError } from './api-error.js';
import { formatAmount, formatProduct } from './amounts.js';
import type { Clock } from './clock.js';
import { intervalNamed, shifted } from './intervals.js';
import type { SandboxKline, SymbolKlines } from './klines.js';
import type { Params } from './params.js';
import type { SymbolStatus } from './timed-fault.js';
import {
  endAt,
  lastCountedBefore,
  printedAmounts,
  type SymbolTape,
  type Tape,
  type TapeTrade,
} from './tapes/tape.js';

/** What the endpoints answer from. */
export interface Market {
  readonly tape: Tape;
  readonly klines: ReadonlyMap<string, SymbolKlines>;
  readonly clock: Clock;
  /** The status that a symbol has by a fault; `REMOVED` makes it unknown. */
  readonly statusOf?: (symbol: string) => SymbolStatus['status'] | undefined;
}

/** One unit of the times in an answer is so many of a millisecond: 1 or, for microseconds, 1000. */
export type TimeScale = 1 | 1000;

const OLDEST_TIME = Date.UTC(2017, 0, 1);
const FUTURE_MS = 10_000;

/** The symbols that the exchange has, in order of name. */
export const listed = (market: Market): string[] =>
  [...market.tape.keys()].filter((symbol) => isListed(market, symbol));

export const isListed = ({ statusOf }: Market, symbol: string): boolean => statusOf?.(symbol) !== 'REMOVED';

/** @throws ApiError -1121 where there is no such symbol. */
export function symbolTape(market: Market, symbol: string): SymbolTape {
  const tape = isListed(market, symbol) ? market.tape.get(symbol) : undefined;
  if (tape === undefined) throw new ApiError(-1121, 'Invalid symbol.');
  return tape;
}

export function ping(params: Params): string {
  params.done();
  return '{}';
}

export function time(params: Params, market: Market, scale: TimeScale): string {
  params.done();
  return `{"serverTime":${market.clock.now() * scale}}`;
}

/** The newest price of one symbol, of some, or of all. */
export function tickerPrice(params: Params, market: Market): string {
  const symbols = params.symbols();
  const symbol = params.optionalSymbol();
  params.done();
  const now = market.clock.now();
  const priceOf = (name: string): string => {
    const tape = symbolTape(market, name);
    const newest = lastCountedBefore(tape, endAt(tape, now));
    return `{"symbol":"${name}","price":"${formatAmount(newest?.price ?? 0n)}"}`;
  };
  if (symbol !== undefined) return priceOf(symbol);
  return `[${(symbols ?? listed(market)).map(priceOf).join(',')}]`;
}

/**
 * Aggregate trades: from an id on, the oldest from a time on, or the newest up to a time. An id together with times is
 * not defined by the exchange; it is refused here with its general code for combinations.
 */
export function aggTrades(params: Params, market: Market, scale: TimeScale): string {
  const symbol = params.symbol();
  const fromId = params.number('fromId');
  const { start, end } = timeRange(params, market.clock.now());
  const limit = params.limit();
  params.done();
  if (fromId !== undefined && (start !== undefined || end !== undefined))
    throw new ApiError(-1128, 'Combination of optional parameters invalid.');
  const tape = symbolTape(market, symbol);
  const seen = endAt(tape, market.clock.now());
  const until = end === undefined ? seen : Math.min(seen, tape.positionAt(end + 1));
  const first =
    fromId !== undefined
      ? tape.positionOfId(fromId)
      : start !== undefined
        ? tape.positionAt(start)
        : Math.max(tape.begin, until - limit);
  const rows = tape.trades(first, Math.min(until, first + limit));
  return `[${rows.map((row) => tradeRow(row, scale)).join(',')}]`;
}

function tradeRow(row: TapeTrade, scale: TimeScale): string {
  const { price, quantity } = printedAmounts(row);
  return `{"a":${row.id},"p":"${price}","q":"${quantity}","f":${row.firstTradeId},"l":${row.lastTradeId},"T":${row.time * scale},"m":${row.buyerIsMaker},"M":${row.isBestMatch}}`;
}

/** Klines of an interval, selected by their open time. */
export function klines(params: Params, market: Market, scale: TimeScale): string {
  const symbol = params.symbol();
  const interval = intervalNamed(params.required('interval'));
  if (interval === undefined) throw new ApiError(-1120, 'Invalid interval.');
  const now = market.clock.now();
  const { start, end } = timeRange(params, now);
  const offset = zoneOffset(params.text('timeZone'));
  const limit = params.limit();
  params.done();
  symbolTape(market, symbol);
  const query = { interval: shifted(interval, offset), start, end, limit, now };
  const rows = market.klines.get(symbol)?.select(query) ?? [];
  return JSON.stringify(rows.map((row) => klineFields(row, scale)));
}

/** The twelve fields of a kline, as REST and archive have them. */
export function klineFields(row: SandboxKline, scale: TimeScale): readonly (number | string)[] {
  return [
    row.openTime * scale,
    ...[row.open, row.high, row.low, row.close, row.volume].map(formatAmount),
    row.end * scale - 1,
    formatProduct(row.quoteVolume),
    row.count,
    formatAmount(row.takerVolume),
    formatProduct(row.takerQuoteVolume),
    '0',
  ];
}

/** Times before 2017 or more than 10 s ahead are clamped. */
function timeRange(params: Params, now: number): { start: number | undefined; end: number | undefined } {
  const clamp = (value: number | undefined): number | undefined =>
    value === undefined ? undefined : Math.min(Math.max(value, OLDEST_TIME), now + FUTURE_MS);
  return { start: clamp(params.time('startTime', 'up')), end: clamp(params.time('endTime', 'down')) };
}

/** Milliseconds of `-12:00` … `+14:00`, minutes optional. */
function zoneOffset(text: string | undefined): number {
  const match = /^([+-]?)(\d{1,2})(?::([0-5]\d))?$/.exec(text ?? '0');
  const minutes =
    (Number(match?.[2] ?? Number.NaN) * 60 + Number(match?.[3] ?? 0)) * (match?.[1] === '-' ? -1 : 1);
  if (Number.isNaN(minutes) || minutes < -12 * 60 || minutes > 14 * 60)
    throw new ApiError(-1130, "Data sent for parameter 'timeZone' is not valid.");
  return minutes * 60_000;
}
