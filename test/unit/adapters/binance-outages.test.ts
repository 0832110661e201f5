import { describe, expect, it } from 'vitest';
import { Outages } from '../../../src/core/outages.js';
import { exchangeOf } from '../../support/rest-stand-in.js';
import { against, answer, first, query } from '../../support/rest-world.js';
import { VirtualClock } from '../../support/virtual-clock.js';

describe('limits', () => {
  it.each([429, 418])('waits on %d exactly as long as told, then goes on', async (status) => {
    const { exchange, lines, server, clock } = await against(
      first(answer(status, '{"code":-1003,"msg":"Too many"}', { 'retry-after': '37' })),
    );
    const before = clock.now();
    expect(await exchange.trades(query)).toHaveLength(10);
    expect(clock.now() - before).toBe(37_000);
    expect(lines).toEqual([
      `exchange down: The exchange answered ${status}: no call is made before ${new Date(before + 37_000).toISOString()}`,
      'exchange up after 37 s',
    ]);
    expect(server.requests).toHaveLength(2);
  });

  it('waits out a ban of 20 minutes whose end only the body tells, by the clock of the exchange', async () => {
    const theirNow = Date.UTC(2026, 0, 1);
    const body = `{"code":-1003,"msg":"Way too much request weight used; IP banned until ${theirNow + 1_200_000}. Please use"}`;
    const { exchange, lines, server, clock } = await against(
      first(answer(418, body, { date: new Date(theirNow).toUTCString() })),
      { giveUpAfterMs: Infinity },
    );
    const before = clock.now();
    const calls = [exchange.trades(query), exchange.trades({ ...query, symbol: 'ETHUSDT' })];
    expect((await Promise.all(calls)).map(({ length }) => length)).toEqual([10, 10]);
    expect(clock.now() - before).toBe(1_200_000);
    expect(lines[1]).toBe('exchange up after 1200 s');
    expect(lines).toHaveLength(2);
    expect(server.requests.length).toBeLessThanOrEqual(4);
  });

  it('pauses for minutes where a firewall refuses (403), then goes on', async () => {
    const { exchange, server, clock, lines } = await against(
      first(answer(403, '<html>Request blocked</html>')),
      {
        giveUpAfterMs: Infinity,
      },
    );
    const before = clock.now();
    expect(await exchange.trades(query)).toHaveLength(10);
    expect(clock.now() - before).toBe(180_000);
    expect(lines[0]).toMatch(/refused the request by its firewall \(403\): no call is made before/);
    expect(server.requests).toHaveLength(2);
  });

  it('lets no other call through while one was told to wait', async () => {
    const { exchange, server } = await against(first(answer(429, '{}', { 'retry-after': '5' })));
    const waiting = exchange.trades(query);
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await Promise.all([waiting, exchange.trades({ ...query, symbol: 'ETHUSDT' })]);
    expect(server.requests).toHaveLength(3);
  });

  it('ends at once with the time, where somebody waits and the ban is longer than patience', async () => {
    const { exchange, server, clock } = await against(answer(418, '{}', { 'retry-after': '3600' }));
    const before = clock.now();
    const until = new Date(before + 3_600_000).toISOString();
    await expect(exchange.trades(query)).rejects.toThrow(new RegExp(`418: .* before ${until}`));
    await expect(exchange.serverTime()).rejects.toThrow(new RegExp(`before ${until}`));
    expect(clock.now()).toBe(before);
    expect(server.requests).toHaveLength(1);
  });

  it('ends a wait when the signal aborts', async () => {
    const stop = new AbortController();
    const outages = new Outages();
    outages.listen({ onBegin: () => stop.abort(new Error('stopped by hand')), onEnd: () => undefined });
    const { exchange, server } = await against(answer(429, '{}', { 'retry-after': '600' }), {
      outages,
      giveUpAfterMs: Infinity,
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

  it('outlasts an outage of an hour in a background program, and reports it once at each end', async () => {
    const real = exchangeOf(['BTCUSDT', 'ETHUSDT'], () => 99);
    const { exchange, clock, lines } = await against(
      (request, response, url) =>
        (clock.now() < start + 3_600_000 ? answer(503, 'busy') : real)(request, response, url),
      { giveUpAfterMs: Infinity },
    );
    const start = clock.now();
    const both = await Promise.all([
      exchange.trades(query),
      exchange.trades({ ...query, symbol: 'ETHUSDT' }),
    ]);
    expect(both.map(({ length }) => length)).toEqual([10, 10]);
    expect(lines).toEqual([
      'exchange down: The exchange answered 503 to /api/v3/aggTrades: busy',
      expect.stringMatching(/^exchange up after 36\d\d s$/),
    ]);
  });

  it('gives up after a bounded time, and says what the exchange answered last', async () => {
    const { exchange, clock } = await against(answer(502, 'bad gateway'), { giveUpAfterMs: 30_000 });
    const before = clock.now();
    await expect(exchange.trades(query)).rejects.toMatchObject({
      exitCode: 4,
      retryable: true,
      message: expect.stringMatching(/answered 502 to \/api\/v3\/aggTrades/) as string,
    });
    expect(clock.now() - before).toBeLessThanOrEqual(30_000);
  });

  it('names the symbol where the exchange answers every call but those about it', async () => {
    const real = exchangeOf(['BTCUSDT', 'ETHUSDT'], () => 99);
    const { exchange, clock, lines } = await against(
      (request, response, url) =>
        (url.search.includes('ETHUSDT') && clock.now() < start + 60_000 ? answer(500, 'x') : real)(
          request,
          response,
          url,
        ),
      { giveUpAfterMs: Infinity },
    );
    const start = clock.now();
    const eth = exchange.trades({ ...query, symbol: 'ETHUSDT' });
    while (lines.length < 2) {
      await exchange.trades(query);
      await clock.sleep(500);
    }
    expect(await eth).toHaveLength(10);
    expect(lines).toEqual([
      'exchange (ETHUSDT) down: The exchange answered 500 to /api/v3/aggTrades: x',
      expect.stringMatching(/^exchange \(ETHUSDT\) up after [67]\d s$/),
    ]);
  });

  it('takes a page of something in front of the exchange for a failure, whatever its status', async () => {
    const { exchange, server } = await against(
      first(answer(404, '<html>'), answer(400, ''), answer(302, '')),
    );
    expect(await exchange.trades(query)).toHaveLength(10);
    expect(server.requests).toHaveLength(4);
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
