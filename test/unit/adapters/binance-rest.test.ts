import { afterEach, describe, expect, it } from 'vitest';
import { binanceRest, type BinanceOptions } from '../../../src/adapters/binance-rest.js';
import type { Exchange, ExchangeWait } from '../../../src/core/ports/exchange.js';
import { exchangeOf, standIn, wireTrade, type Handler, type StandIn } from '../../support/rest-stand-in.js';
import { VirtualClock } from '../../support/virtual-clock.js';

let server: StandIn | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const headers = { 'content-type': 'application/json' };

interface Setup {
  readonly exchange: Exchange;
  readonly waits: ExchangeWait[];
  readonly server: StandIn;
  readonly clock: VirtualClock;
}

async function against(handler: Handler, options: Partial<BinanceOptions> = {}): Promise<Setup> {
  const waits: ExchangeWait[] = [];
  const clock = new VirtualClock();
  server = await standIn(handler);
  const exchange = binanceRest({
    baseUrl: server.url,
    clock,
    onWait: (wait) => waits.push(wait),
    ...options,
  });
  return { exchange, waits, server, clock };
}

/** Answers the first requests with these, all others like an exchange with the trades 0 to 99. */
function first(...answers: Handler[]): Handler {
  const real = exchangeOf(['BTCUSDT', 'ETHUSDT'], () => 99);
  return (request, response, url) => (answers.shift() ?? real)(request, response, url);
}

const answer =
  (status: number, body: string, more: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, { ...headers, ...more }).end(body);
  };

const query = { symbol: 'BTCUSDT', limit: 1000, fromId: 90 };

describe('answers', () => {
  it('gives trades as ticks, with prices as the texts that they are', async () => {
    const { exchange, server } = await against(first());
    const ticks = await exchange.trades(query);
    expect(ticks.map(({ aggTradeId }) => aggTradeId)).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
    expect(ticks[0]).toMatchObject({ source: 'binance-spot', symbol: 'BTCUSDT', price: wireTrade(90)['p'] });
    expect(server.requests).toEqual(['/api/v3/aggTrades?symbol=BTCUSDT&limit=1000&fromId=90']);
  });

  it('gives rows one by one, so that those that cannot be read come with their reason beside the trades', async () => {
    const rows = [
      wireTrade(90),
      { ...wireTrade(91), p: 7 },
      { ...wireTrade(92), a: 'x' },
      wireTrade(93),
      null,
    ];
    const { exchange } = await against(first(answer(200, JSON.stringify(rows))));
    const read = await exchange.tradeRows(query);
    expect(read.map(({ id, tick, reason }) => [id, tick?.aggTradeId ?? reason])).toEqual([
      [90, 90],
      [91, 'its price `p` is not a decimal text'],
      [undefined, 'its id `a` is not a whole number from 0 on'],
      [93, 93],
      [undefined, 'it is not an object'],
    ]);
  });

  it('gives the last prices of one symbol or of several in one request, in the order asked for', async () => {
    const several = '[{"symbol":"BTCUSDT","price":"1.50000000"},{"symbol":"ETHUSDT","price":"0.25000000"}]';
    const { exchange, server } = await against(
      first(
        answer(200, several),
        answer(200, '{"symbol":"BTCUSDT","price":"1.60000000"}'),
        answer(200, several),
      ),
    );
    expect(await exchange.prices(['ETHUSDT', 'BTCUSDT'])).toEqual([
      { symbol: 'ETHUSDT', price: '0.25000000' },
      { symbol: 'BTCUSDT', price: '1.50000000' },
    ]);
    expect(await exchange.prices(['BTCUSDT'])).toEqual([{ symbol: 'BTCUSDT', price: '1.60000000' }]);
    expect(server.requests.map(decodeURIComponent)).toEqual([
      '/api/v3/ticker/price?symbols=["ETHUSDT","BTCUSDT"]',
      '/api/v3/ticker/price?symbol=BTCUSDT',
    ]);
    await expect(exchange.prices(['ETHUSDT', 'XRPUSDT'])).rejects.toThrow('with no price of XRPUSDT');
  });

  it('gives the sizes of symbols, in the order asked for', async () => {
    const { exchange } = await against(first());
    const symbols = await exchange.symbols(['ETHUSDT', 'BTCUSDT']);
    expect(symbols).toEqual([
      { symbol: 'ETHUSDT', status: 'TRADING', tickSize: '0.01000000', lotStep: '0.00001000' },
      { symbol: 'BTCUSDT', status: 'TRADING', tickSize: '0.01000000', lotStep: '0.00001000' },
    ]);
  });

  it('gives klines, nine fields as the exchange wrote them', async () => {
    const row = [
      1588740120000,
      '9.1',
      '9.2',
      '9.0',
      '9.15',
      '12.5',
      1588740179999,
      '114.4',
      37,
      '6.5',
      '59.5',
      '0',
    ];
    const { exchange, server } = await against(first(answer(200, JSON.stringify([row]))));
    const bars = await exchange.klines({
      symbol: 'BTCUSDT',
      startTime: 1588740120000,
      endTime: 1588740179999,
    });
    expect(bars).toEqual([
      {
        openTime: 1588740120000,
        open: '9.1',
        high: '9.2',
        low: '9.0',
        close: '9.15',
        volume: '12.5',
        quoteVolume: '114.4',
        tradeCount: 37,
        takerBuyVolume: '6.5',
        takerBuyQuoteVolume: '59.5',
      },
    ]);
    expect(server.requests[0]).toContain(
      'interval=1m&startTime=1588740120000&endTime=1588740179999&limit=1000',
    );
  });

  it.each([
    ['a page instead of JSON', '<html>', /no JSON but "<html>"/],
    ['no list', '{"a":1}', /something that is no list/],
    [
      'a trade that cannot be read',
      JSON.stringify([wireTrade(90), { ...wireTrade(91), p: 7 }]),
      /id 91: its price/,
    ],
    ['ids out of order', JSON.stringify([wireTrade(92), wireTrade(91)]), /id 91 after 92/],
    ['ids before the wanted one', JSON.stringify([wireTrade(89)]), /id 89 after 89/],
  ])('refuses %s, and does not try again', async (_name, body, words) => {
    const { exchange, server } = await against(first(answer(200, body)));
    await expect(exchange.trades(query)).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(words) as string,
    });
    expect(server.requests).toHaveLength(1);
  });

  it('names the documented field that an answer lacks', async () => {
    const { exchange } = await against(first(answer(200, '{"serverTime":"soon"}')));
    await expect(exchange.serverTime()).rejects.toThrow(/answered \/api\/v3\/time with .*serverTime/);
  });
});

describe('refusals', () => {
  it('names the market-data-only host on 451, and does not try again', async () => {
    const { exchange, server } = await against(answer(451, '{"code":0,"msg":"restricted location"}'));
    await expect(exchange.trades(query)).rejects.toMatchObject({
      exitCode: 4,
      retryable: false,
      nextStep: expect.stringContaining('https://data-api.binance.vision') as string,
    });
    expect(server.requests).toHaveLength(1);
  });

  it('says on 403 that it was the firewall', async () => {
    const { exchange, server } = await against(answer(403, 'forbidden'));
    await expect(exchange.trades(query)).rejects.toThrow(/firewall .* \(403\)/);
    expect(server.requests).toHaveLength(1);
  });

  it('names the symbol that does not exist among several', async () => {
    const real = exchangeOf(['BTCUSDT', 'ETHUSDT'], () => 99);
    const { exchange } = await against((request, response, url) => {
      if (url.search.includes('NOPE'))
        answer(400, '{"code":-1121,"msg":"Invalid symbol."}')(request, response, url);
      else real(request, response, url);
    });
    await expect(exchange.symbols(['BTCUSDT', 'NOPE', 'ETHUSDT'])).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/knows no symbol NOPE$/) as string,
    });
  });

  it('shows what the exchange said about any other refusal', async () => {
    const { exchange } = await against(answer(400, '{"code":-1128,"msg":"Combination invalid."}'));
    await expect(exchange.trades(query)).rejects.toThrow(/400, -1128 Combination invalid/);
  });
});

describe('limits', () => {
  it.each([429, 418])('waits on %d exactly as long as told, then goes on', async (status) => {
    const { exchange, waits, server, clock } = await against(
      first(answer(status, '{"code":-1003,"msg":"Too many"}', { 'retry-after': '37' })),
    );
    const before = clock.now();
    expect(await exchange.trades(query)).toHaveLength(10);
    expect(clock.now() - before).toBe(37_000);
    expect(waits).toEqual([{ reason: `the exchange answered ${status}, Retry-After 37 s`, ms: 37_000 }]);
    expect(server.requests).toHaveLength(2);
  });

  it('lets no other call through while one was told to wait', async () => {
    const { exchange, server } = await against(first(answer(429, '{}', { 'retry-after': '5' })));
    const waiting = exchange.trades(query);
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await Promise.all([waiting, exchange.trades({ ...query, symbol: 'ETHUSDT' })]);
    expect(server.requests).toHaveLength(3);
  });

  it('does not wait out a long ban: it says until when', async () => {
    const { exchange, server, clock } = await against(answer(418, '{}', { 'retry-after': '259200' }));
    const until = new Date(clock.now() + 259_200_000).toISOString();
    await expect(exchange.trades(query)).rejects.toThrow(new RegExp(`418: .* before ${until}`));
    expect(server.requests).toHaveLength(1);
  });

  it('ends a wait when the signal aborts', async () => {
    const stop = new AbortController();
    const { exchange, server } = await against(answer(429, '{}', { 'retry-after': '600' }), {
      onWait: () => stop.abort(new Error('stopped by hand')),
    });
    await expect(exchange.trades(query, stop.signal)).rejects.toThrow('stopped by hand');
    expect(server.requests).toHaveLength(1);
  });

  it('pauses at nine tenths of the limit of exchangeInfo until the minute turns', async () => {
    const info = {
      rateLimits: [{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 1000 }],
      symbols: [{ symbol: 'BTCUSDT', status: 'TRADING', filters: [] }],
    };
    const used = { 'x-mbx-used-weight-1m': '897', date: '' };
    const { exchange, waits } = await against(
      first(answer(200, JSON.stringify(info)), answer(200, '[]', used)),
      { clock: new VirtualClock(Date.now()) },
    );
    await exchange.symbols(['BTCUSDT']);
    await exchange.trades(query);
    expect(waits).toEqual([]);
    await exchange.trades(query);
    expect(waits).toHaveLength(1);
    expect(waits[0]?.reason).toBe('897 of 1000 request weight used in this minute');
    expect(waits[0]?.ms).toBeLessThanOrEqual(60_050);
  });
});

describe('failures', () => {
  it('tries 5xx answers and broken connections again', async () => {
    const { exchange, server } = await against(
      first(answer(503, 'busy'), (request) => request.socket.destroy(), answer(500, '{"code":-1007}')),
    );
    expect(await exchange.trades(query)).toHaveLength(10);
    expect(server.requests).toHaveLength(4);
  });

  it('gives up after a bounded time, and says what the exchange answered last', async () => {
    const { exchange, clock } = await against(answer(502, 'bad gateway'), { retryForMs: 30_000 });
    const before = clock.now();
    await expect(exchange.trades(query)).rejects.toMatchObject({
      exitCode: 4,
      retryable: true,
      message: expect.stringMatching(/answered 502 to \/api\/v3\/aggTrades/) as string,
    });
    expect(clock.now() - before).toBeLessThanOrEqual(30_000);
  });

  it('gives every call a time-out', async () => {
    const { exchange, server } = await against(
      first(() => undefined),
      { timeoutMs: 50 },
    );
    expect(await exchange.trades(query)).toHaveLength(10);
    expect(server.requests).toHaveLength(2);
  });

  it('ends a call under way when the signal aborts', async () => {
    const stop = new AbortController();
    const { exchange } = await against(() => stop.abort(new Error('stopped by hand')));
    await expect(exchange.trades(query, stop.signal)).rejects.toThrow('stopped by hand');
  });
});
