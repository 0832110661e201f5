import { describe, expect, it } from 'vitest';
import { verify, type VerifyOptions } from '../../../src/commands/verify.js';
import { aBar, evidenceOf, firstMinute, klineOf, minuteMs } from '../../support/bars.js';
import { fakeBarStore, fakeExchange } from '../../support/fake-warehouse.js';

const everything: VerifyOptions = {
  source: 'binance-spot',
  symbols: undefined,
  from: undefined,
  to: undefined,
  lastMs: undefined,
};
const bars = [aBar(0), aBar(1), aBar(2)];
const klines = bars.map((bar) => klineOf(bar));

function run(
  evidence: Parameters<typeof fakeBarStore>[0],
  exchange = fakeExchange(klines),
  options: Partial<VerifyOptions> = {},
) {
  const ports = { bars: fakeBarStore(evidence).store, exchange: exchange.exchange };
  return verify(ports, { ...everything, ...options });
}

describe('verify', () => {
  it('proves every symbol of the source when all bars are equal and no id is missing', async () => {
    const report = await run({ BTCUSDT: evidenceOf(bars), ETHUSDT: evidenceOf(bars) });
    expect(report.isProven).toBe(true);
    expect(
      report.symbols.map(({ symbol, compared, verdicts }) => [symbol, compared, verdicts.equal]),
    ).toEqual([
      ['BTCUSDT', 3, 3],
      ['ETHUSDT', 3, 3],
    ]);
  });

  it('is not proven when one field of one bar differs', async () => {
    const wrong = fakeExchange([klines[0]!, klines[1]!, { ...klines[2]!, close: '100.2' + '0000001' }]);
    const report = await run({ BTCUSDT: evidenceOf(bars) }, wrong);
    expect(report.isProven).toBe(false);
    expect(report.symbols[0]?.minutes[2]?.differences.map(({ field }) => field)).toEqual(['close']);
  });

  it('lists the missing ids of the range, and is not proven with one', async () => {
    const coverage = [
      { firstId: 1, lastId: 50 },
      { firstId: 60, lastId: 115 },
      { firstId: 117, lastId: 118 },
      { firstId: 130, lastId: 140 },
    ];
    const within = evidenceOf(bars, { coverage, lastIdBefore: 99, firstIdAfter: 118 });
    const report = await run({ BTCUSDT: within });
    expect(report.symbols[0]?.holes).toEqual([{ firstId: 116, lastId: 116 }]);
    expect(report.isProven).toBe(false);
  });

  it('is not proven with a hole before all bars, beside no final one', async () => {
    const open = [aBar(0, { isFinal: false }), aBar(1), aBar(2)];
    const coverage = [
      { firstId: 80, lastId: 90 },
      { firstId: 100, lastId: 115 },
    ];
    const report = await run({ BTCUSDT: evidenceOf(open, { coverage, lastIdBefore: undefined }) });
    expect(report.symbols[0]).toMatchObject({
      verdicts: { edge: 1, equal: 2, hole: 0 },
      holes: [{ firstId: 91, lastId: 99 }],
      isProven: false,
    });
  });

  it('takes nothing for no proof: no symbol, no bar, or no final bar', async () => {
    expect((await run({})).isProven).toBe(false);
    expect(
      (await run({ BTCUSDT: evidenceOf(bars) }, fakeExchange(klines), { symbols: ['ETHUSDT'] })).isProven,
    ).toBe(false);
    const open = evidenceOf([aBar(0, { isFinal: false })], { lastIdBefore: undefined });
    const exchange = fakeExchange(klines);
    expect((await run({ BTCUSDT: open }, exchange)).isProven).toBe(false);
    expect(exchange.asked).toEqual([]);
  });

  it('asks for a thousand minutes at a time, from the first to the last final bar', async () => {
    const far = [aBar(0), aBar(1, { windowStart: firstMinute + 2500 * minuteMs })];
    const exchange = fakeExchange(far.map((bar) => klineOf(bar)));
    const report = await run({ BTCUSDT: evidenceOf(far) }, exchange);
    expect(
      exchange.asked.map(({ startTime, endTime }) =>
        [startTime, endTime].map((t) => (t - firstMinute) / minuteMs),
      ),
    ).toEqual([
      [0, 999],
      [1000, 1999],
      [2000, 2500],
    ]);
    expect(report.isProven).toBe(true);
  });

  it('does not ask for the million minutes that a hole explains', async () => {
    const first = aBar(0);
    const far = aBar(1, {
      windowStart: firstMinute + 1_000_000 * minuteMs,
      firstAggTradeId: 500,
      lastAggTradeId: 504,
    });
    const coverage = [
      { firstId: 99, lastId: 105 },
      { firstId: 499, lastId: 505 },
    ];
    const exchange = fakeExchange([klineOf(first), klineOf(far)]);
    const report = await run({ BTCUSDT: evidenceOf([first, far], { coverage }) }, exchange);
    expect(exchange.asked).toHaveLength(2);
    expect(report.symbols[0]?.holes).toEqual([{ firstId: 106, lastId: 498 }]);
  });

  it("reckons the last minutes back from the exchange's clock", async () => {
    const warehouse = fakeBarStore({ BTCUSDT: evidenceOf(bars) });
    const { exchange } = fakeExchange(klines, { now: firstMinute + 900_000 });
    await verify({ bars: warehouse.store, exchange }, { ...everything, lastMs: 900_000 });
    expect(warehouse.asked).toEqual([
      { source: 'binance-spot', symbol: 'BTCUSDT', from: firstMinute, to: undefined },
    ]);
  });

  it('allows the quote cut only for a symbol whose quote volumes are not exact', async () => {
    const cut = klines.map((kline) => ({ ...kline, quoteVolume: '150.24999999' }));
    expect((await run({ BTCUSDT: evidenceOf(bars) }, fakeExchange(cut))).isProven).toBe(false);
    const fine = fakeExchange(cut, { symbol: { tickSize: '0.00001', lotStep: '0.0001' } });
    const report = await run({ BTCUSDT: evidenceOf(bars) }, fine);
    expect([report.isProven, report.symbols[0]?.verdicts['equal (quote cut)']]).toEqual([true, 3]);
  });
});
