import type { z } from 'zod';
import { UnknownSymbolError } from '../core/errors.js';
import type { HttpClient } from '../http/http-client.js';
import type { Outages } from '../core/outages.js';
import type { Clock } from '../core/ports/clock.js';
import {
  tradePage,
  type Exchange,
  type ExchangeSymbol,
  type SymbolPrice,
  type TradeQuery,
} from '../core/ports/exchange.js';
import { readTradeRow, type TradeRow } from '../core/trade-row.js';
import {
  exchangeInfoAnswer,
  klinesAnswer,
  pricesAnswer,
  timeAnswer,
  toKline,
  toSymbol,
  weightLimit,
  type ExchangeInfo,
} from './binance-answers.js';
import { unexpected, type ExchangeCall } from './binance-errors.js';
import { getJson, type HttpOptions } from './binance-http.js';
import type { WeightBudget } from './binance-weight.js';

/** Times in ms. */
export interface BinanceOptions {
  readonly baseUrl: string;
  /** The request weight of the process, shared by all calls of the exchange. */
  readonly budget: WeightBudget;
  readonly outages: Outages;
  /** How long what may pass is tried again; Infinity in background programs. */
  readonly giveUpAfterMs: number;
  readonly clock: Clock;
  readonly client: HttpClient;
  /** Of one call; the exchange's own back end gives up after 10 s. Default 15 s. */
  readonly timeoutMs?: number;
}

/** More names than this in one address are refused by some proxies for their length; then all symbols are asked for. */
const mostNamed = 100;
/** Rows none of which can be read are another protocol, not faults of rows. */
const mostUnreadable = 10;

/**
 * Binance's spot market over REST, version 3; weights as documented since 2025-03-10.
 *
 * @see https://github.com/binance/binance-spot-api-docs/blob/master/rest-api.md
 */
export function binanceRest(options: BinanceOptions): Exchange {
  const http: HttpOptions = { timeoutMs: 15_000, ...options };
  return {
    serverTime: (signal) => {
      const call = { path: '/api/v3/time', params: {}, weight: 1 };
      return get(http, call, timeAnswer, ({ serverTime }) => serverTime, signal);
    },
    symbols: (names, signal) => symbolsOf(http, names, signal),
    trades: async (query, signal) =>
      (await askTrades(http, query, signal)).flatMap(({ tick }) => (tick === undefined ? [] : [tick])),
    tradeRows: (query, signal) => askTrades(http, query, signal),
    prices: (names, signal) => pricesOf(http, names, signal),
    klines: ({ symbol, startTime, endTime }, signal) => {
      const params = { symbol, interval: '1m', startTime, endTime, limit: 1000 };
      const call = { path: '/api/v3/klines', params, weight: 2 };
      return get(http, call, klinesAnswer, (rows) => rows.map(toKline), signal);
    },
  };
}

/** Asks with the names; where one of several is unknown, which the exchange does not name, and where they are many, asks for all. */
async function named<T>(
  names: readonly string[],
  ask: (params: Readonly<Record<string, string>>) => Promise<T>,
  nothing: T,
): Promise<T> {
  const [only] = names;
  if (only === undefined) return nothing;
  if (names.length > mostNamed) return ask({});
  try {
    return await ask(names.length === 1 ? { symbol: only } : { symbols: JSON.stringify(names) });
  } catch (error) {
    if (!(error instanceof UnknownSymbolError)) throw error;
    return names.length === 1 ? nothing : ask({});
  }
}

async function symbolsOf(
  http: HttpOptions,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<ExchangeSymbol[]> {
  const ask = (params: Readonly<Record<string, string>>): Promise<ExchangeInfo> => {
    const call = { path: '/api/v3/exchangeInfo', params, weight: 20 };
    return get(http, call, exchangeInfoAnswer, (info) => info, signal);
  };
  const info = await named(names, ask, undefined);
  if (info === undefined) return [];
  http.budget.setLimit(weightLimit(info));
  const bySymbol = new Map(info.symbols.map((symbol) => [symbol.symbol, symbol]));
  return names.flatMap((name) => {
    const found = bySymbol.get(name);
    return found === undefined ? [] : [toSymbol(found)];
  });
}

async function pricesOf(
  http: HttpOptions,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<SymbolPrice[]> {
  const ask = (params: Readonly<Record<string, string>>): Promise<SymbolPrice[]> => {
    const isOne = params['symbol'] !== undefined;
    const call = { path: '/api/v3/ticker/price', params, weight: isOne ? 2 : 4 };
    return getJson(http, call, (answer) => read(http, call, pricesAnswer, isOne ? [answer] : answer), signal);
  };
  const prices = new Map((await named(names, ask, [])).map((price) => [price.symbol, price]));
  return names.flatMap((name) => prices.get(name) ?? []);
}

function get<T, U>(
  http: HttpOptions,
  call: ExchangeCall,
  schema: z.ZodType<T>,
  make: (answer: T) => U,
  signal?: AbortSignal,
): Promise<U> {
  return getJson(http, call, (answer) => make(read(http, call, schema, answer)), signal);
}

function read<T>(http: HttpOptions, call: ExchangeCall, schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`;
  throw unexpected(http.baseUrl, call.path, `something else than documented (${where})`, result.error);
}

function askTrades(http: HttpOptions, query: TradeQuery, signal?: AbortSignal): Promise<TradeRow[]> {
  const call = { path: '/api/v3/aggTrades', params: { ...query }, weight: tradePage.weight };
  return getJson(http, call, (answer) => toTradeRows(http, query, answer), signal);
}

function toTradeRows({ baseUrl }: HttpOptions, query: TradeQuery, answer: unknown): TradeRow[] {
  const path = `/api/v3/aggTrades of ${query.symbol}`;
  if (!Array.isArray(answer)) throw unexpected(baseUrl, path, 'something that is no list');
  const rows = answer.map((raw: unknown) => readTradeRow(query.symbol, raw));
  let previous = 'fromId' in query ? query.fromId - 1 : -1;
  for (const { id } of rows) {
    if (id === undefined) continue;
    if (id <= previous) throw unexpected(baseUrl, path, `id ${id} after ${previous}: not in order of id`);
    previous = id;
  }
  const [first] = rows;
  if (rows.length >= mostUnreadable && rows.every(({ tick }) => tick === undefined))
    throw unexpected(baseUrl, path, `${rows.length} rows none of which can be read: ${first?.reason ?? ''}`);
  return rows;
}
