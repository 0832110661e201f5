import type { Bar } from '../../src/core/ports/bars.js';
import type { Kline } from '../../src/core/ports/exchange.js';
import { standIn, type StandIn } from './rest-stand-in.js';

/** What the stand-in answers; a test changes it as it likes. */
export interface KlineMarket {
  /** Epoch ms of its clock. */
  now: number;
  tickSize: string;
  lotStep: string;
  /** By open time. */
  readonly klines: Map<number, Kline>;
}

/** An exchange that knows one symbol, its clock and its one-minute klines. */
export function klineStandIn(symbol: string, market: KlineMarket): Promise<StandIn> {
  const rowOf = (kline: Kline): unknown[] => [
    ...[
      kline.openTime,
      kline.open,
      kline.high,
      kline.low,
      kline.close,
      kline.volume,
      kline.openTime + 59_999,
    ],
    ...[kline.quoteVolume, kline.tradeCount, kline.takerBuyVolume, kline.takerBuyQuoteVolume, '0'],
  ];
  return standIn((_request, response, { pathname, searchParams }) => {
    const [start, end] = ['startTime', 'endTime'].map((name) => Number(searchParams.get(name))) as [
      number,
      number,
    ];
    const answers: Record<string, () => unknown> = {
      '/api/v3/time': () => ({ serverTime: market.now }),
      '/api/v3/exchangeInfo': () => ({
        symbols: [
          {
            ...{ symbol, status: 'TRADING' },
            filters: [
              { filterType: 'PRICE_FILTER', tickSize: market.tickSize },
              { filterType: 'LOT_SIZE', stepSize: market.lotStep },
            ],
          },
        ],
      }),
      '/api/v3/klines': () =>
        [...market.klines.values()]
          .filter(({ openTime }) => openTime >= start && openTime <= end)
          .sort((left, right) => left.openTime - right.openTime)
          .slice(0, 1000)
          .map(rowOf),
    };
    const answer = answers[pathname]?.();
    response
      .writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer ?? {}));
  });
}

/** The exchange's own view of a minute in which it counted nothing. */
export const quietKline = (openTime: number, price: string): Kline => ({
  ...{ openTime, open: price, high: price, low: price, close: price },
  ...{ volume: '0.00000000', quoteVolume: '0.00000000', tradeCount: 0 },
  ...{ takerBuyVolume: '0.00000000', takerBuyQuoteVolume: '0.00000000' },
});

/** What an exchange shows that counted the same trades; its quote volumes have 8 decimals. */
export const exactKline = (bar: Bar): Kline => ({
  ...{ openTime: bar.windowStart, open: bar.open, high: bar.high, low: bar.low, close: bar.close },
  ...{ volume: bar.volume, quoteVolume: bar.quoteVolume.slice(0, -8), tradeCount: bar.tradeCount },
  ...{ takerBuyVolume: bar.takerBuyVolume, takerBuyQuoteVolume: bar.takerBuyQuoteVolume.slice(0, -8) },
});
