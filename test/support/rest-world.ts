import { afterEach } from 'vitest';
import type { BinanceOptions } from '../../src/adapters/binance-rest.js';
import { Outages } from '../../src/core/outages.js';
import type { Exchange, ExchangeWait } from '../../src/core/ports/exchange.js';
import { aBinanceRest } from './a-binance-rest.js';
import { exchangeOf, standIn, type Handler, type StandIn } from './rest-stand-in.js';
import { VirtualClock } from './virtual-clock.js';

let server: StandIn | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const headers = { 'content-type': 'application/json' };

interface Setup {
  readonly exchange: Exchange;
  readonly waits: ExchangeWait[];
  /** The beginning and the end of each outage, and how long it was, in seconds. */
  readonly lines: string[];
  readonly server: StandIn;
  readonly clock: VirtualClock;
}

/** The client of the exchange against a server that answers as the handler says. */
export async function against(handler: Handler, options: Partial<BinanceOptions> = {}): Promise<Setup> {
  const waits: ExchangeWait[] = [];
  const lines: string[] = [];
  const clock = new VirtualClock();
  const outages = new Outages();
  outages.listen({
    onBegin: ({ system, reason }) => lines.push(`${system} down: ${reason.replace(/ at http\S+/, '')}`),
    onEnd: ({ system, since, until }) =>
      lines.push(`${system} up after ${Math.round((until - since) / 1000)} s`),
  });
  server = await standIn(handler);
  const exchange = aBinanceRest({ baseUrl: server.url, clock, outages, ...options }, (wait) =>
    waits.push(wait),
  );
  return { exchange, waits, lines, server, clock };
}

/** Answers the first requests with these, all others like an exchange with the trades 0 to 99. */
export function first(...answers: Handler[]): Handler {
  const real = exchangeOf(['BTCUSDT', 'ETHUSDT'], () => 99);
  return (request, response, url) => (answers.shift() ?? real)(request, response, url);
}

/** One answer. */
export const answer =
  (status: number, body: string, more: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, { ...headers, ...more }).end(body);
  };

export const query = { symbol: 'BTCUSDT', limit: 1000, fromId: 90 };
