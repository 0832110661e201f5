import type { Bar, BarEvidence } from '../../src/core/ports/bars.js';
import type { Kline } from '../../src/core/ports/exchange.js';

export const minuteMs = 60_000;
/** A whole minute, at which the bars of the tests begin. */
export const firstMinute = Date.UTC(2024, 7, 8, 12);

/** A final bar of ten raw trades in five aggregate ones; `at` counts minutes, and ids follow from it without a gap. */
export function aBar(at: number, changes: Partial<Bar> = {}): Bar {
  return {
    source: 'binance-spot',
    symbol: 'BTCUSDT',
    windowStart: firstMinute + at * minuteMs,
    open: '100.10000000',
    high: '100.40000000',
    low: '100.00000000',
    close: '100.20000000',
    volume: '1.50000000',
    quoteVolume: '150.2500000000000000',
    tradeCount: 10,
    takerBuyVolume: '0.50000000',
    takerBuyQuoteVolume: '50.1000000000000000',
    takerBuyTradeCount: 4,
    firstAggTradeId: 100 + at * 5,
    lastAggTradeId: 104 + at * 5,
    firstTradeId: 1000 + at * 10,
    lastTradeId: 1009 + at * 10,
    isFinal: true,
    ...changes,
  };
}

/** The exchange's bar that equals `bar`, in the exchange's own form of eight decimals. */
export function klineOf(bar: Bar, changes: Partial<Kline> = {}): Kline {
  return {
    openTime: bar.windowStart,
    open: bar.open,
    high: bar.high,
    low: bar.low,
    close: bar.close,
    volume: bar.volume,
    quoteVolume: bar.quoteVolume.slice(0, -8),
    tradeCount: bar.tradeCount,
    takerBuyVolume: bar.takerBuyVolume,
    takerBuyQuoteVolume: bar.takerBuyQuoteVolume.slice(0, -8),
    ...changes,
  };
}

/** A minute in which nothing was traded, as the exchange shows it. */
export const aQuietKline = (at: number): Kline =>
  klineOf(aBar(at), {
    volume: '0.00000000',
    quoteVolume: '0.00000000',
    tradeCount: 0,
    takerBuyVolume: '0.00000000',
    takerBuyQuoteVolume: '0.00000000',
  });

/** Evidence in which every id from the first to the last bar is covered, and trades are known on both sides. */
export function evidenceOf(bars: readonly Bar[], changes: Partial<BarEvidence> = {}): BarEvidence {
  const [first, last] = [bars[0], bars.at(-1)];
  const lastIdBefore = (first?.firstAggTradeId ?? 1) - 1;
  const firstIdAfter = (last?.lastAggTradeId ?? 1) + 1;
  return {
    bars,
    coverage: [{ firstId: lastIdBefore, lastId: firstIdAfter }],
    lastIdBefore,
    firstIdAfter,
    ...changes,
  };
}
