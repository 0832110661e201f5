import { describe, expect, it } from 'vitest';
import {
  verify,
  type VerifyOptions,
  type VerifyPorts,
  type VerifyReport,
} from '../../../src/commands/verify.js';
import type { KlineArchive } from '../../../src/core/ports/exchange.js';
import { aBar, evidenceOf, firstMinute, klineOf, minuteMs } from '../../support/bars.js';
import { FakeClock } from '../../support/fake-clock.js';
import {
  fakeBarStore,
  fakeExchange,
  fakeKlineArchive,
  fakeReconciliations,
} from '../../support/fake-warehouse.js';

const day = Date.UTC(2024, 7, 8);
const dayMs = 86_400_000;
const everything: VerifyOptions = {
  source: 'binance-spot',
  symbols: undefined,
  from: undefined,
  to: undefined,
  lastMs: undefined,
  against: 'rest',
  isDryRun: false,
};
const bars = [aBar(0), aBar(1), aBar(2)];
const klines = bars.map((bar) => klineOf(bar));

interface World {
  readonly exchange?: ReturnType<typeof fakeExchange>;
  readonly archive?: KlineArchive;
  readonly clock?: FakeClock;
}

function aWorld(evidence: Parameters<typeof fakeBarStore>[0], world: World = {}) {
  const book = fakeReconciliations();
  const warehouse = fakeBarStore(evidence);
  const ports: VerifyPorts = {
    bars: warehouse.store,
    exchange: (world.exchange ?? fakeExchange(klines)).exchange,
    archive: world.archive ?? fakeKlineArchive([], []),
    reconciliations: book.reconciliations,
    clock: world.clock ?? new FakeClock(day + 30 * dayMs),
  };
  const run = (options: Partial<VerifyOptions> = {}): Promise<VerifyReport> =>
    verify(ports, { ...everything, ...options });
  return { run, saved: book.saved, asked: warehouse.asked };
}

describe('verify', () => {
  it('proves every symbol of the source when all bars are equal and no id is missing', async () => {
    const report = await aWorld({ BTCUSDT: evidenceOf(bars), ETHUSDT: evidenceOf(bars) }).run();
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
    const report = await aWorld({ BTCUSDT: evidenceOf(bars) }, { exchange: wrong }).run();
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
    const report = await aWorld({ BTCUSDT: within }).run();
    expect(report.symbols[0]?.holes).toEqual([{ firstId: 116, lastId: 116 }]);
    expect(report.isProven).toBe(false);
  });

  it('is not proven with a hole before all bars, beside no final one', async () => {
    const open = [aBar(0, { isFinal: false }), aBar(1), aBar(2)];
    const coverage = [
      { firstId: 80, lastId: 90 },
      { firstId: 100, lastId: 115 },
    ];
    const { run } = aWorld({ BTCUSDT: evidenceOf(open, { coverage, lastIdBefore: undefined }) });
    expect((await run()).symbols[0]).toMatchObject({
      verdicts: { edge: 1, equal: 2, hole: 0 },
      holes: [{ firstId: 91, lastId: 99 }],
      isProven: false,
    });
  });

  it('takes nothing for no proof: no symbol, no bar, or no final bar', async () => {
    expect((await aWorld({}).run()).isProven).toBe(false);
    expect((await aWorld({ BTCUSDT: evidenceOf(bars) }).run({ symbols: ['ETHUSDT'] })).isProven).toBe(false);
    const open = evidenceOf([aBar(0, { isFinal: false })], { lastIdBefore: undefined });
    const exchange = fakeExchange(klines);
    expect((await aWorld({ BTCUSDT: open }, { exchange }).run()).isProven).toBe(false);
    expect(exchange.asked).toEqual([]);
  });

  it('refuses the source of a ticker: its bars are samples', async () => {
    await expect(aWorld({}).run({ source: 'binance-spot-ticker-5000' })).rejects.toMatchObject({
      exitCode: 2,
    });
  });

  it('allows the quote cut only for a symbol whose quote volumes are not exact', async () => {
    const cut = klines.map((kline) => ({ ...kline, quoteVolume: '150.24999999' }));
    const evidence = { BTCUSDT: evidenceOf(bars) };
    expect((await aWorld(evidence, { exchange: fakeExchange(cut) }).run()).isProven).toBe(false);
    const fine = fakeExchange(cut, { symbol: { tickSize: '0.00001', lotStep: '0.0001' } });
    const report = await aWorld(evidence, { exchange: fine }).run();
    expect([report.isProven, report.symbols[0]?.verdicts['equal (quote cut)']]).toEqual([true, 3]);
  });
});

describe('the range that verify judges', () => {
  const far = aBar(1, { windowStart: day + 3 * dayMs + 5 * minuteMs });
  const minutesOf = (exchange: ReturnType<typeof fakeExchange>): number[][] =>
    exchange.asked.map(({ startTime, endTime }) =>
      [startTime, endTime].map((time) => (time - day) / minuteMs),
    );

  it('is a day at a time, a thousand minutes a request, from the first to the last bar', async () => {
    const exchange = fakeExchange([klineOf(aBar(0)), klineOf(far)]);
    const { run, saved } = aWorld({ BTCUSDT: evidenceOf([aBar(0), far]) }, { exchange });
    const [report] = (await run()).symbols;
    expect(minutesOf(exchange)).toEqual([
      [720, 1439],
      ...[1, 2].flatMap((at) => [
        [at * 1440, at * 1440 + 999],
        [at * 1440 + 1000, at * 1440 + 1439],
      ]),
      [3 * 1440, 3 * 1440 + 5],
    ]);
    expect(report?.days.map(({ day: name, minutes, verdicts }) => [name, minutes, verdicts.equal])).toEqual([
      ['2024-08-08', 720, 1],
      ['2024-08-09', 1440, 0],
      ['2024-08-10', 1440, 0],
      ['2024-08-11', 6, 1],
    ]);
    expect(saved.map(({ minutes }) => minutes.length)).toEqual([720, 1440, 1440, 6]);
    expect(report?.verdicts).toMatchObject({ equal: 2, halt: 720 + 2 * 1440 + 6 - 2 });
  });

  it('leaves out whole days that a hole explains, unless they are asked for', async () => {
    const lost = { ...far, firstAggTradeId: 500, lastAggTradeId: 504 };
    const coverage = [
      { firstId: 99, lastId: 105 },
      { firstId: 499, lastId: 505 },
    ];
    const evidence = { BTCUSDT: evidenceOf([aBar(0), lost], { coverage }) };
    const [report] = (await aWorld(evidence).run()).symbols;
    expect(report?.days.map(({ day: name }) => name)).toEqual(['2024-08-08', '2024-08-11']);
    expect(report?.holes).toEqual([{ firstId: 106, lastId: 498 }]);
    const [asked] = (await aWorld(evidence).run({ from: day, to: day + 4 * dayMs })).symbols;
    expect(asked?.minutes).toHaveLength(4 * 1440);
    expect(asked?.days[1]?.verdicts.hole).toBe(1440);
  });

  it('is every minute of what was asked for, also where we have no bar', async () => {
    const options = { from: firstMinute - 2 * minuteMs + 1, to: firstMinute + 4 * minuteMs };
    const evidence = evidenceOf(bars, { firstIdAfter: undefined, lastIdBefore: undefined });
    const [report] = (await aWorld({ BTCUSDT: evidence }).run(options)).symbols;
    expect(report?.minutes.map(({ windowStart, verdict }) => [windowStart - firstMinute, verdict])).toEqual([
      [-minuteMs, 'edge'],
      [0, 'unproven'],
      [minuteMs, 'equal'],
      [2 * minuteMs, 'unproven'],
      [3 * minuteMs, 'edge'],
    ]);
  });

  it('is refused where it is longer than can be judged at once', async () => {
    const { run } = aWorld({ BTCUSDT: evidenceOf(bars) });
    await expect(run({ from: 0, to: day })).rejects.toThrow('has 19943 days; at most 730');
  });

  it("is reckoned back from the exchange's clock", async () => {
    const exchange = fakeExchange(klines, { now: firstMinute + 900_000 });
    const { run, asked } = aWorld({ BTCUSDT: evidenceOf(bars) }, { exchange });
    const report = await run({ lastMs: 900_000 });
    expect(report.from).toBe(firstMinute);
    expect(asked).toEqual([
      { source: 'binance-spot', symbol: 'BTCUSDT', from: firstMinute, to: firstMinute + 3 * minuteMs },
    ]);
  });
});

describe('the exchange that is late', () => {
  it.each([
    [59_999, 'exchange late'],
    [60_000, 'different'],
  ])('%i ms after the end of a minute a missing bar is %s', async (age, verdict) => {
    const now = firstMinute + 3 * minuteMs + age;
    const exchange = fakeExchange(klines.slice(0, 2), { now });
    const [report] = (await aWorld({ BTCUSDT: evidenceOf(bars) }, { exchange }).run()).symbols;
    expect(report?.minutes.map((minute) => minute.verdict)).toEqual(['equal', 'equal', verdict]);
    expect(report?.isProven).toBe(verdict === 'exchange late');
  });
});

describe('verify against the archive', () => {
  const evidence = { BTCUSDT: evidenceOf(bars) };
  const against = 'archive';
  const silent = { exchange: {} as VerifyPorts['exchange'], asked: [] };

  it('asks the exchange for nothing else', async () => {
    const world = { exchange: silent, archive: fakeKlineArchive(klines, [day]) };
    const { run, saved } = aWorld(evidence, world);
    const report = await run({ against });
    expect([report.isProven, report.symbols[0]?.verdicts.equal]).toEqual([true, 3]);
    expect(saved[0]).toMatchObject({ symbol: 'BTCUSDT', against: 'archive' });
  });

  it('finds in our own sums whether the quote volumes of the symbol are cut', async () => {
    const archive = fakeKlineArchive(
      klines.map((kline) => ({ ...kline, quoteVolume: '150.24999999' })),
      [day],
    );
    const whole = await aWorld(evidence, { exchange: silent, archive }).run({ against });
    expect(whole.symbols[0]?.verdicts.different).toBe(3);
    const fine = bars.map((bar) => ({ ...bar, quoteVolume: '150.2500000000120000' }));
    const cut = await aWorld({ BTCUSDT: evidenceOf(fine) }, { exchange: silent, archive }).run({ against });
    expect(cut.symbols[0]?.verdicts['equal (quote cut)']).toBe(3);
  });

  it('waits two days for the file of a day, and then says that it is missing', async () => {
    const at = (clock: FakeClock) => aWorld(evidence, { exchange: silent, clock }).run({ against });
    const early = await at(new FakeClock(day + 3 * dayMs - 1));
    expect([early.isProven, early.symbols[0]?.verdicts['exchange late']]).toEqual([false, 3]);
    await expect(at(new FakeClock(day + 3 * dayMs))).rejects.toMatchObject({
      exitCode: 5,
      message: 'The archive has no one-minute klines of BTCUSDT for 2024-08-08',
    });
  });
});

describe('what verify keeps', () => {
  it('is every minute with its verdict', async () => {
    const { run, saved } = aWorld({ BTCUSDT: evidenceOf(bars) });
    const report = await run();
    expect(report.isSaved).toBe(true);
    expect(saved).toEqual([
      { source: 'binance-spot', symbol: 'BTCUSDT', against: 'rest', minutes: report.symbols[0]?.minutes },
    ]);
  });

  it('is nothing in a dry run', async () => {
    const { run, saved } = aWorld({ BTCUSDT: evidenceOf(bars) });
    const report = await run({ isDryRun: true });
    expect([report.isProven, report.isSaved, saved]).toEqual([true, false, []]);
  });
});
