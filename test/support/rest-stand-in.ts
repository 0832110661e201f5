import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

export interface StandIn {
  readonly url: string;
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** A local HTTP server that answers as the handler says, and remembers what it was asked. */
export async function standIn(handler: Handler): Promise<StandIn> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    requests.push(`${url.pathname}${url.search}`);
    handler(request, response, url);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A plausible aggregate trade of this id: three raw trades, ten trades a second. */
export const wireTrade = (id: number): Record<string, unknown> => ({
  a: id,
  p: `${60_000 + (id % 100)}.0${id % 10}000000`,
  q: '0.00123000',
  f: id * 3,
  l: id * 3 + 2,
  T: 1_700_000_000_000 + id * 100,
  m: id % 2 === 0,
  M: true,
});

/** Answers like an exchange whose symbols have the trades 0 to `newest`, without a request limit. */
export function exchangeOf(symbols: readonly string[], newest: () => number): Handler {
  const pages = new Map<string, string>();
  const json = (response: ServerResponse, body: string, status = 200): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-mbx-used-weight-1m': '4' }).end(body);
  };
  return (_request, response, url) => {
    const query = url.searchParams;
    const wanted = query.get('symbol') ?? '';
    if (url.pathname === '/api/v3/time') {
      json(response, `{"serverTime":${Date.now()}}`);
      return;
    }
    if (url.pathname === '/api/v3/exchangeInfo') {
      json(response, JSON.stringify(infoOf(symbols)));
      return;
    }
    if (url.pathname !== '/api/v3/aggTrades') {
      json(response, '{}', 404);
      return;
    }
    if (!symbols.includes(wanted)) {
      json(response, '{"code":-1121,"msg":"Invalid symbol."}', 400);
      return;
    }
    const limit = Number(query.get('limit') ?? 500);
    const first = query.has('fromId') ? Number(query.get('fromId')) : Math.max(0, newest() - limit + 1);
    const last = Math.min(newest(), first + limit - 1);
    const key = `${first}-${last}`;
    let body = pages.get(key);
    if (body === undefined) {
      const ids = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
      body = JSON.stringify(ids.map(wireTrade));
      if (ids.length === 1000) pages.set(key, body);
    }
    json(response, body);
  };
}

const infoOf = (symbols: readonly string[]): object => ({
  timezone: 'UTC',
  rateLimits: [],
  symbols: symbols.map((symbol) => ({
    symbol,
    status: 'TRADING',
    filters: [
      { filterType: 'PRICE_FILTER', tickSize: '0.01000000' },
      { filterType: 'LOT_SIZE', stepSize: '0.00001000' },
    ],
  })),
});
