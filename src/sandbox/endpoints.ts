import { aggTrades, klines, ping, tickerPrice, time, type Market, type TimeScale } from './answers.js';
import { exchangeInfo } from './exchange-info.js';
import type { Params } from './params.js';

/** What a path costs and what it answers; an answer is JSON text, or an ApiError that is thrown. */
interface Endpoint {
  readonly weight: (query: URLSearchParams) => number;
  readonly answer: (params: Params, market: Market, scale: TimeScale) => string;
}

/** Every path that the sandbox serves, with the exchange's weights. */
export const endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['/api/v3/ping', { weight: () => 1, answer: ping }],
  ['/api/v3/time', { weight: () => 1, answer: time }],
  ['/api/v3/exchangeInfo', { weight: () => 20, answer: exchangeInfo }],
  ['/api/v3/ticker/price', { weight: (query) => (query.has('symbol') ? 2 : 4), answer: tickerPrice }],
  ['/api/v3/aggTrades', { weight: () => 4, answer: aggTrades }],
  ['/api/v3/klines', { weight: () => 2, answer: klines }],
]);
