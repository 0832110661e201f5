import { describe, expect, it } from 'vitest';
import { exchangeOf, wireTrade } from '../../support/rest-stand-in.js';
import { against, answer, first, query } from '../../support/rest-world.js';

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
    expect(await exchange.prices(['ETHUSDT', 'XRPUSDT'])).toEqual([
      { symbol: 'ETHUSDT', price: '0.25000000' },
    ]);
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
    ['an HTML page', '<!DOCTYPE html><html>maintenance</html>', /no JSON but "<!DOCTYPE html>/],
    ['half a JSON', JSON.stringify([wireTrade(90)]).slice(0, -9), /no JSON but/],
    ['nothing', '', /no JSON but ""/],
    ['no list', '{"a":1}', /something that is no list/],
    [
      'only rows that cannot be read',
      JSON.stringify(Array.from({ length: 12 }, (_, at) => ({ ...wireTrade(90 + at), p: 7 }))),
      /12 rows none of which can be read: its price/,
    ],
    ['ids out of order', JSON.stringify([wireTrade(92), wireTrade(91)]), /id 91 after 92/],
    ['ids before the wanted one', JSON.stringify([wireTrade(89)]), /id 89 after 89/],
  ])(
    'that are %s are asked for again like a 5xx, and named when the time is over',
    async (_name, body, words) => {
      const passing = await against(first(answer(200, body), answer(200, body)));
      expect(await passing.exchange.trades(query)).toHaveLength(10);
      expect(passing.server.requests).toHaveLength(3);
      await passing.server.close();
      const lasting = await against(answer(200, body));
      await expect(lasting.exchange.trades(query)).rejects.toMatchObject({
        exitCode: 4,
        retryable: true,
        message: expect.stringMatching(words) as string,
      });
    },
  );

  it('leave out a row that cannot be read, and keep its text beside its reason for those who want it', async () => {
    const bad = { ...wireTrade(91), p: '1e-8' };
    const rows = answer(200, JSON.stringify([wireTrade(90), bad, wireTrade(92)]));
    const { exchange } = await against(first(rows, rows));
    expect((await exchange.trades(query)).map(({ aggTradeId }) => aggTradeId)).toEqual([90, 92]);
    expect((await exchange.tradeRows(query))[1]).toEqual({
      id: 91,
      reason: 'its price `p` is not a decimal text',
      raw: JSON.stringify(bad),
    });
  });

  it('names the documented field that an answer lacks', async () => {
    const { exchange } = await against(answer(200, '{"serverTime":"soon"}'), { giveUpAfterMs: 0 });
    await expect(exchange.serverTime()).rejects.toThrow(/answered \/api\/v3\/time with .*serverTime/);
  });
});

describe('many symbols', () => {
  const names = Array.from({ length: 1000 }, (_, at) => `S${at}USDT`);

  it('are asked for without their names where the address would be too long, in one request', async () => {
    const prices = JSON.stringify([...names, 'OTHER'].map((symbol) => ({ symbol, price: '1.5' })));
    const { exchange, server } = await against(
      first(answer(200, JSON.stringify({ symbols: [...names, 'OTHER'].map(infoOf) })), answer(200, prices)),
    );
    expect((await exchange.symbols(names)).map(({ symbol }) => symbol)).toEqual(names);
    expect((await exchange.prices(names)).map(({ symbol }) => symbol)).toEqual(names);
    expect(server.requests).toEqual(['/api/v3/exchangeInfo', '/api/v3/ticker/price']);
  });

  it('are named by their own characters', async () => {
    const { exchange, server } = await against(
      first(answer(200, JSON.stringify({ symbols: [infoOf('币安人生USDT')] }))),
    );
    expect(await exchange.symbols(['币安人生USDT'])).toMatchObject([
      { symbol: '币安人生USDT', status: 'TRADING' },
    ]);
    expect(decodeURIComponent(server.requests[0]!)).toBe('/api/v3/exchangeInfo?symbol=币安人生USDT');
  });
});

const infoOf = (symbol: string): object => ({ symbol, status: 'TRADING', filters: [] });

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

  it('leaves out the symbols that do not exist, one or among several', async () => {
    const real = exchangeOf(['BTCUSDT', 'ETHUSDT'], () => 99);
    const { exchange } = await against((request, response, url) => {
      if (url.search.includes('NOPE'))
        answer(400, '{"code":-1121,"msg":"Invalid symbol."}')(request, response, url);
      else real(request, response, url);
    });
    const found = await exchange.symbols(['BTCUSDT', 'NOPE', 'ETHUSDT']);
    expect(found.map(({ symbol }) => symbol)).toEqual(['BTCUSDT', 'ETHUSDT']);
    expect(await exchange.symbols(['NOPE'])).toEqual([]);
    await expect(exchange.trades({ ...query, symbol: 'NOPE' })).rejects.toMatchObject({
      exitCode: 2,
      symbol: 'NOPE',
      message: expect.stringMatching(/lists no symbol NOPE$/) as string,
    });
  });

  it('shows what the exchange said about any other refusal', async () => {
    const { exchange } = await against(answer(400, '{"code":-1128,"msg":"Combination invalid."}'));
    await expect(exchange.trades(query)).rejects.toMatchObject({
      retryable: false,
      message: expect.stringMatching(/400, -1128 Combination invalid/) as string,
    });
  });
});
