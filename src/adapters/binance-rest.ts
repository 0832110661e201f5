import type { z } from 'zod';
import { UsageError } from '../core/errors.js';
import type { Clock } from '../core/ports/clock.js';
import {
  tradePage,
  type Exchange,
  type ExchangeSymbol,
  type ExchangeWait,
  type SymbolPrice,
  type TradeQuery,
  type TradeRow,
} from '../core/ports/exchange.js';
import type { Tick } from '../core/tick.js';
import { parseAggTrade } from '../core/trade.js';
import {
  exchangeInfoAnswer,
  klinesAnswer,
  pricesAnswer,
  timeAnswer,
  toKline,
  toSymbol,
  weightLimit,
} from './binance-answers.js';
import { getJson, unexpected, unknownSymbol, type ExchangeCall, type HttpOptions } from './binance-http.js';
import { directHttp, type HttpClient } from '../http/http-client.js';
import { WeightBudget } from './binance-weight.js';
import { systemClock } from './system-clock.js';

/** Times in ms; all but the address have defaults. */
export interface BinanceOptions {
  readonly baseUrl: string;
  /** Told of every pause that the exchange or its limits impose. */
  readonly onWait?: (wait: ExchangeWait) => void;
  readonly clock?: Clock;
  readonly timeoutMs?: number;
  readonly retryForMs?: number;
  readonly longestWaitMs?: number;
  readonly client?: HttpClient;
}

/**
 * Binance's spot market over REST, version 3; weights as documented since 2025-03-10. One of these shares one request budget,
 * so a process should have one.
 *
 * @see https://github.com/binance/binance-spot-api-docs/blob/master/rest-api.md
 */
export function binanceRest(options: BinanceOptions): Exchange {
  const clock = options.clock ?? systemClock;
  const onWait = options.onWait ?? (() => undefined);
  const budget = new WeightBudget(clock, onWait);
  const http: HttpOptions = {
    timeoutMs: 15_000,
    retryForMs: 60_000,
    longestWaitMs: 15 * 60_000,
    client: directHttp,
    ...options,
    clock,
    onWait,
    budget,
  };
  const get = (call: ExchangeCall, signal?: AbortSignal): Promise<unknown> => getJson(http, call, signal);

  return {
    serverTime: async (signal) => {
      const call = { path: '/api/v3/time', params: {}, weight: 1 };
      return read(http, call, timeAnswer, await get(call, signal)).serverTime;
    },
    symbols: async (names, signal) => symbolsOf(http, names, signal),
    trades: async (query, signal) => ticksOf(http, query, await askTrades(http, query, signal)),
    tradeRows: (query, signal) => askTrades(http, query, signal),
    prices: (names, signal) => pricesOf(http, names, signal),
    klines: async ({ symbol, startTime, endTime }, signal) => {
      const params = { symbol, interval: '1m', startTime, endTime, limit: 1000 };
      const call = { path: '/api/v3/klines', params, weight: 2 };
      return read(http, call, klinesAnswer, await get(call, signal)).map(toKline);
    },
  };
}

async function symbolsOf(
  http: HttpOptions,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<ExchangeSymbol[]> {
  const call = {
    path: '/api/v3/exchangeInfo',
    params: names.length === 1 ? { symbol: names[0] ?? '' } : { symbols: JSON.stringify(names) },
    weight: 20,
  };
  const answer = await getJson(http, call, signal).catch(async (error: unknown) => {
    // The exchange does not say which of several names is wrong.
    if (!(error instanceof UsageError) || names.length < 2) throw error;
    for (const name of names) await symbolsOf(http, [name], signal);
    throw error;
  });
  const info = read(http, call, exchangeInfoAnswer, answer);
  http.budget.setLimit(weightLimit(info));
  return names.map((name) => {
    const found = info.symbols.find(({ symbol }) => symbol === name);
    if (found === undefined) throw unknownSymbol(http.baseUrl, name);
    return toSymbol(found);
  });
}

async function pricesOf(
  http: HttpOptions,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<SymbolPrice[]> {
  const [only] = names;
  const isOne = names.length === 1 && only !== undefined;
  const call = {
    path: '/api/v3/ticker/price',
    params: isOne ? { symbol: only } : { symbols: JSON.stringify(names) },
    weight: isOne ? 2 : 4,
  };
  const answer = await getJson(http, call, signal);
  const prices = read(http, call, pricesAnswer, isOne ? [answer] : answer);
  return names.map((name) => {
    const found = prices.find(({ symbol }) => symbol === name);
    if (found === undefined) throw unexpected(http.baseUrl, call.path, `no price of ${name}`);
    return { symbol: name, price: found.price };
  });
}

function read<T>(http: HttpOptions, call: ExchangeCall, schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`;
  throw unexpected(http.baseUrl, call.path, `something else than documented (${where})`, result.error);
}

async function askTrades(http: HttpOptions, query: TradeQuery, signal?: AbortSignal): Promise<TradeRow[]> {
  const call = { path: '/api/v3/aggTrades', params: { ...query }, weight: tradePage.weight };
  const answer = await getJson(http, call, signal);
  const path = `${call.path} of ${query.symbol}`;
  if (!Array.isArray(answer)) throw unexpected(http.baseUrl, path, 'something that is no list');
  let previous = 'fromId' in query ? query.fromId - 1 : -1;
  return answer.map((raw: unknown) => {
    const row = toTradeRow(query.symbol, raw);
    if (row.id === undefined) return row;
    if (row.id <= previous)
      throw unexpected(http.baseUrl, path, `id ${row.id} after ${previous}: not in order of id`);
    previous = row.id;
    return row;
  });
}

function toTradeRow(symbol: string, raw: unknown): TradeRow {
  const { tick, reason } = parseAggTrade(symbol, raw);
  if (tick !== undefined) return { id: tick.aggTradeId, tick };
  const id = (raw as { a?: unknown } | null)?.a;
  return { id: Number.isSafeInteger(id) && Number(id) >= 0 ? Number(id) : undefined, reason };
}

function ticksOf(http: HttpOptions, { symbol }: TradeQuery, rows: readonly TradeRow[]): Tick[] {
  return rows.map(({ id, tick, reason }) => {
    if (tick !== undefined) return tick;
    const what = `a trade that cannot be read, id ${id ?? 'unknown'}: ${reason}`;
    throw unexpected(http.baseUrl, `/api/v3/aggTrades of ${symbol}`, what);
  });
}
