import { describe, expect, it } from 'vitest';
import { findData, quietSymbols } from '../../../src/core/data-findings.js';

const now = Date.UTC(2026, 10, 23, 21, 30);

describe('the data', () => {
  const fresh = {
    source: 'binance-spot',
    symbol: 'BTCUSDT',
    newestTradeAt: now - 800,
    newestFinalBarAt: Date.UTC(2026, 10, 23, 21, 28),
    holes: 0,
    missingIds: 0,
    firstMissingId: undefined,
  };

  it('are well without holes', () => {
    expect(findData([fresh], now)).toMatchObject({
      summary: 'BTCUSDT: newest trade 800 ms old, newest final bar 2026-11-23 21:28Z, 0 holes',
      problems: [],
    });
  });

  it('of a ticker and of the sample are told with their source', () => {
    expect(findData([{ ...fresh, source: 'sample' }], now).summary).toMatch(
      /^BTCUSDT \(sample\): newest trade 800 ms old/,
    );
    expect(findData([{ ...fresh, source: 'binance-spot-ticker-5000' }], now).summary).toBe(
      'BTCUSDT (binance-spot-ticker-5000): newest sample 800 ms old, newest final bar 2026-11-23 21:28Z',
    );
  });

  it('are ill with holes, and say how to fill them', () => {
    expect(findData([{ ...fresh, holes: 2, missingIds: 30, firstMissingId: 700 }], now).problems).toEqual([
      'BTCUSDT of binance-spot: 30 trades missing in 2 holes; fetch them with `cryptopipe heal --symbols BTCUSDT`',
    ]);
  });
});

describe('data of a running feed', () => {
  const old = {
    ...{ source: 'binance-spot', symbol: 'BTCUSDT', newestTradeAt: now - 6 * 3_600_000 },
    ...{ newestFinalBarAt: now - 6 * 3_600_000, holes: 0, missingIds: 0, firstMissingId: undefined },
  };
  const cursor = {
    ...{ source: 'binance-spot', symbol: 'BTCUSDT', feed: 'stream', aggTradeId: 9 },
    ...{ eventTime: now, writtenAt: now },
  };

  it('that are old are asked about, those of an ended or an archive feed are not', () => {
    expect(quietSymbols([old], [cursor], now)).toEqual([
      { source: 'binance-spot', symbol: 'BTCUSDT', newestTradeAt: old.newestTradeAt },
    ]);
    expect(quietSymbols([old], [], now)).toEqual([]);
    expect(quietSymbols([old], [{ ...cursor, endedBy: 'order' }], now)).toEqual([]);
    expect(quietSymbols([old], [{ ...cursor, feed: 'archive:2024-08' }], now)).toEqual([]);
    expect(quietSymbols([{ ...old, newestTradeAt: now - 300_000 }], [cursor], now)).toEqual([]);
    expect(quietSymbols([{ ...old, newestTradeAt: now - 300_001 }], [cursor], now)).toHaveLength(1);
  });

  it('are stale where the exchange has had newer ones for longer than a trade takes to arrive', () => {
    const quiet = quietSymbols([old], [cursor], now);
    expect(findData([old], now, quiet, [now - 60_000]).problems).toEqual([]);
    expect(findData([old], now, quiet, ['none']).problems).toEqual([]);
    expect(findData([old], now, quiet, [now - 120_000]).problems).toEqual([
      'BTCUSDT of binance-spot is stale: its newest trade is 6 h old, and the exchange has had newer ones for 2 min',
    ]);
    expect(findData([old], now, quiet, ['unknown']).problems).toEqual([
      'BTCUSDT of binance-spot is stale: its newest trade is 6 h old, and the exchange does not say whether there are newer ones',
    ]);
  });

  it('of a ticker are stale by the clock alone', () => {
    const source = 'binance-spot-ticker-5000';
    const quiet = quietSymbols([{ ...old, source }], [{ ...cursor, source, feed: 'ticker' }], now);
    expect(findData([{ ...old, source }], now, quiet, ['unknown']).problems).toEqual([
      'BTCUSDT of binance-spot-ticker-5000 is stale: its newest sample is 6 h old',
    ]);
  });
});
