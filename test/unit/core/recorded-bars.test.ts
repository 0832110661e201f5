import { expect, it } from 'vitest';
import { judgeMinutes } from '../../../src/core/bar-check.js';
import { compareFields } from '../../../src/core/bar-fields.js';
import type { Bar } from '../../../src/core/ports/bars.js';
import type { Kline } from '../../../src/core/ports/exchange.js';
import { klineOf } from '../../support/bars.js';
import { describeRecorded, readRecordedCsv } from '../../support/market-data.js';
import { barsOfTape } from '../../support/tape-bars.js';

const firstWholeMinute = Date.UTC(2024, 7, 8, 23, 55);
const lastWholeMinute = Date.UTC(2024, 7, 9, 0, 4);
const tapeOf = (symbol: string): string[][] =>
  readRecordedCsv(`spot_2024-08-08/${symbol}-aggTrades-2024-08-08.csv.gz`);

/** The exchange's one-minute bars were recorded with five fields; the other four are taken from our bar. */
function recordedMinutes(symbol: string, bars: readonly Bar[]): Kline[] {
  const rows = new Map(
    readRecordedCsv(`spot_2024-08-08/klines_1m_${symbol}_2024-08-08_09.csv`).map((row) => [
      Number(row[0]),
      row,
    ]),
  );
  return bars.flatMap((bar) => {
    const [, open, high, low, close, volume] = rows.get(bar.windowStart) ?? [];
    if (open === undefined) return [];
    return [klineOf(bar, { open, high: high!, low: low!, close: close!, volume: volume! })];
  });
}

function toFiveMinuteKline(row: readonly string[]): Kline {
  const [openTime, open, high, low, close, volume, , quoteVolume, count, takerVolume, takerQuote] = row as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    openTime: Number(openTime),
    open,
    high,
    low,
    close,
    volume,
    quoteVolume,
    tradeCount: Number(count),
    takerBuyVolume: takerVolume,
    takerBuyQuoteVolume: takerQuote,
  };
}

describeRecorded("bars of the recorded trades and the exchange's own", () => {
  it.for(['BTCUSDT', 'ETHUSDT'])('are equal in 10 of 10 whole minutes of %s', (symbol) => {
    const tape = tapeOf(symbol);
    const bars = barsOfTape(tape, symbol, 60_000).map((bar) => ({
      ...bar,
      isFinal: bar.windowStart >= firstWholeMinute && bar.windowStart <= lastWholeMinute,
    }));
    const coverage = [{ firstId: Number(tape[0]![0]), lastId: Number(tape.at(-1)![0]) }];
    const minutes = judgeMinutes({
      evidence: { bars, coverage, lastIdBefore: undefined, firstIdAfter: undefined },
      klines: recordedMinutes(symbol, bars),
      from: bars[0]!.windowStart,
      to: bars.at(-1)!.windowStart + 60_000,
      settledUntil: Infinity,
      isExactQuote: true,
    });
    expect(minutes.map(({ verdict }) => verdict)).toEqual([
      'edge',
      ...Array.from({ length: 10 }, () => 'equal'),
      'edge',
    ]);
  });

  it('are equal in all nine fields in 2 of 2 whole five-minute bars of BTCUSDT', () => {
    const bars = new Map(
      barsOfTape(tapeOf('BTCUSDT'), 'BTCUSDT', 300_000).map((bar) => [bar.windowStart, bar]),
    );
    const klines = readRecordedCsv('spot_2024-08-08/klines_5m_BTCUSDT_2024-08-08_09.csv')
      .map(toFiveMinuteKline)
      .filter(({ openTime }) => openTime >= firstWholeMinute && openTime <= lastWholeMinute);
    expect(klines.map((kline) => compareFields(bars.get(kline.openTime)!, kline, true))).toEqual([
      { differences: [], isQuoteCut: false },
      { differences: [], isQuoteCut: false },
    ]);
  });
});
