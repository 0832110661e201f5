import { describe, expect, it } from 'vitest';
import { judgeMinutes } from '../../../src/core/bar-check.js';
import { barFields, hasExactQuote } from '../../../src/core/bar-fields.js';
import type { JudgedMinute } from '../../../src/core/minute-verdict.js';
import type { Bar, BarEvidence } from '../../../src/core/ports/bars.js';
import type { Kline } from '../../../src/core/ports/exchange.js';
import { aBar, aQuietKline, evidenceOf, firstMinute, klineOf, minuteMs } from '../../support/bars.js';

const bars = [aBar(0), aBar(1), aBar(2)];

/** From the first to the last bar, of an exchange that had all the time it needs. */
function judge(evidence: BarEvidence, klines: readonly Kline[], isExactQuote = true): JudgedMinute[] {
  const from = evidence.bars[0]!.windowStart;
  const to = evidence.bars.at(-1)!.windowStart + minuteMs;
  return judgeMinutes({ evidence, klines, from, to, settledUntil: Infinity, isExactQuote });
}
const verdictsOf = (minutes: readonly JudgedMinute[]): string[] => minutes.map(({ verdict }) => verdict);
const judgeOne = (bar: Bar, kline: Kline, isExactQuote = true): JudgedMinute =>
  judge(evidenceOf([bar]), [kline], isExactQuote)[0]!;

/** The same decimal with its last digit moved by one: the smallest possible lie. */
function offByLastDigit(text: string): string {
  const last = Number(text.at(-1));
  return text.slice(0, -1) + String(last === 9 ? 8 : last + 1);
}

describe('a bar and the exchange', () => {
  it('is equal when all nine fields are, whatever their number of zeros', () => {
    expect(
      verdictsOf(
        judge(
          evidenceOf(bars),
          bars.map((bar) => klineOf(bar)),
        ),
      ),
    ).toEqual(['equal', 'equal', 'equal']);
  });

  it.each(barFields)('differs in exactly %s when only its last digit differs', (field) => {
    const bar = aBar(0);
    const kline = klineOf(bar);
    const theirs = field === 'tradeCount' ? 11 : offByLastDigit(kline[field]);
    const minute = judgeOne(bar, { ...kline, [field]: theirs });
    expect(minute.verdict).toBe('different');
    expect(minute.differences).toEqual([
      {
        field,
        ours: String(bar[field]),
        theirs: String(theirs),
        difference: field === 'tradeCount' ? '-1' : '-0.00000001',
      },
    ]);
  });

  it('compares numbers that no double can hold', () => {
    const bar = aBar(0, { quoteVolume: '9007199254740993123456.1234567890123456' });
    const kline = klineOf(bar, { quoteVolume: '9007199254740993123456.1234567890123457' });
    expect(judgeOne(bar, kline).differences[0]?.difference).toBe('-0.0000000000000001');
  });
});

describe('the quote cut', () => {
  const bar = aBar(0, { quoteVolume: '150.2500000012345678', takerBuyQuoteVolume: '50.1000000012345678' });
  const equal = klineOf(bar, { quoteVolume: bar.quoteVolume, takerBuyQuoteVolume: bar.takerBuyQuoteVolume });
  const cut = (changes: Partial<Kline>): JudgedMinute => judgeOne(bar, { ...equal, ...changes }, false);

  it('explains a quote volume that is less by under 1e-8 for each raw trade', () => {
    expect(cut({ quoteVolume: '150.2499999012345679' }).verdict).toBe('equal (quote cut)');
  });
  it('does not explain a quote volume that is less by exactly 1e-8 for each raw trade', () => {
    expect(cut({ quoteVolume: '150.2499999012345678' }).verdict).toBe('different');
  });
  it('leaves our own value equal, and explains none above it', () => {
    expect(cut({ quoteVolume: bar.quoteVolume }).verdict).toBe('equal');
    expect(cut({ quoteVolume: '150.2500000012345679' }).verdict).toBe('different');
  });
  it("counts the takers' own trades for their quote volume", () => {
    expect(cut({ takerBuyQuoteVolume: '50.0999999612345679' }).verdict).toBe('equal (quote cut)');
    const minute = cut({ takerBuyQuoteVolume: '50.0999999612345678' });
    expect(minute.differences.map(({ field }) => field)).toEqual(['takerBuyQuoteVolume']);
  });
  it('explains nothing where price times quantity fits eight decimals', () => {
    expect(judgeOne(bar, { ...equal, quoteVolume: '150.25' }, true).verdict).toBe('different');
  });
  it('is possible where tick size times lot step is below 1e-8', () => {
    expect(hasExactQuote({ tickSize: '0.01000000', lotStep: '0.00001000' })).toBe(true);
    expect(hasExactQuote({ tickSize: '0.0001', lotStep: '0.0001' })).toBe(true);
    expect(hasExactQuote({ tickSize: '0.00001000', lotStep: '0.00010000' })).toBe(false);
  });
});

describe('completeness', () => {
  const klines = bars.map((bar) => klineOf(bar));

  it('calls a bar a raw gap, not different, when its count is not its span of raw ids', () => {
    const gap = aBar(0, { lastTradeId: 1010 });
    expect(judgeOne(gap, klineOf(gap)).verdict).toBe('raw gap');
  });

  it('does not believe a final bar beside a hole', () => {
    const holed = evidenceOf(bars, {
      coverage: [
        { firstId: 99, lastId: 106 },
        { firstId: 108, lastId: 115 },
      ],
    });
    expect(verdictsOf(judge(holed, klines))).toEqual(['equal', 'hole', 'equal']);
  });

  it('does not compare bars that are not final: at an edge, or beside a hole', () => {
    const open = [aBar(0, { isFinal: false }), aBar(1), aBar(2, { isFinal: false })];
    const alone = evidenceOf(open, { lastIdBefore: undefined, firstIdAfter: undefined });
    expect(verdictsOf(judge({ ...alone, coverage: [{ firstId: 100, lastId: 114 }] }, klines))).toEqual([
      'edge',
      'equal',
      'edge',
    ]);
    const holed = [
      { firstId: 100, lastId: 111 },
      { firstId: 113, lastId: 114 },
    ];
    expect(verdictsOf(judge({ ...alone, coverage: holed }, klines))).toEqual(['edge', 'equal', 'hole']);
  });

  it('takes the first bar of all as proven only when the ids from 0 on are covered', () => {
    const first = aBar(0, { firstAggTradeId: 0, lastAggTradeId: 104 });
    const coverage = [{ firstId: 0, lastId: 105 }];
    const begun = evidenceOf([first], { coverage, lastIdBefore: undefined });
    expect(verdictsOf(judge(begun, [klineOf(first)]))).toEqual(['equal']);
    const later = [{ firstId: 100, lastId: 105 }];
    const unbegun = evidenceOf([aBar(0)], { coverage: later, lastIdBefore: undefined });
    expect(verdictsOf(judge(unbegun, klines))).toEqual(['unproven']);
  });

  it('takes neutralised trades from id 0 on for a beginning too', () => {
    const neutralisedBefore = [{ firstId: 0, lastId: 105 }];
    const begun = evidenceOf([aBar(0)], { coverage: neutralisedBefore, lastIdBefore: undefined });
    expect(verdictsOf(judge(begun, klines))).toEqual(['equal']);
  });

  it('finds a bar that is proven and yet not marked as final', () => {
    const open = [aBar(0), aBar(1, { isFinal: false }), aBar(2)];
    expect(verdictsOf(judge(evidenceOf(open), klines))).toEqual(['equal', 'unproven', 'equal']);
  });

  it('calls bars disordered whose ids interleave with those of the minute before or after', () => {
    const long = [aBar(0, { lastAggTradeId: 111 }), aBar(1), aBar(2)];
    expect(verdictsOf(judge(evidenceOf(long), klines))).toEqual(['disordered', 'disordered', 'equal']);
  });

  it('lets a far too high or low id in one minute harm only the minutes beside it', () => {
    const stray = (at: number, ids: Partial<Bar>): JudgedMinute[] => {
      const four = [0, 1, 2, 3].map((minute) =>
        aBar(minute, minute === at ? { ...ids, isFinal: false } : {}),
      );
      const coverage = [
        { firstId: 1, lastId: 1 },
        { firstId: 99, lastId: 120 },
        { firstId: 1_000_000, lastId: 1_000_000 },
      ];
      const around = { coverage, lastIdBefore: 99, firstIdAfter: 120 };
      return judge(
        evidenceOf(four, around),
        four.map((_bar, minute) => klineOf(aBar(minute))),
      );
    };
    const high = stray(0, { lastAggTradeId: 1_000_000 });
    expect(verdictsOf(high)).toEqual(['disordered', 'disordered', 'equal', 'equal']);
    const low = stray(3, { firstAggTradeId: 1 });
    expect(verdictsOf(low)).toEqual(['equal', 'equal', 'disordered', 'disordered']);
  });
});

describe('minutes that only one side has', () => {
  const [first, , last] = bars as [Bar, Bar, Bar];

  it('is different when the exchange has no bar for a final one of ours', () => {
    const minutes = judge(evidenceOf(bars), [klineOf(first), klineOf(last)]);
    expect(verdictsOf(minutes)).toEqual(['equal', 'different', 'equal']);
    expect(minutes[1]?.differences).toEqual([
      { field: 'bar', ours: '10 trades', theirs: undefined, difference: undefined },
    ]);
  });

  it('is different when we have no bar for a minute with trades', () => {
    const minutes = judge(
      evidenceOf([first, last]),
      bars.map((bar) => klineOf(bar)),
    );
    expect(minutes.map(({ windowStart, verdict }) => [windowStart, verdict])).toEqual([
      [firstMinute, 'equal'],
      [firstMinute + minuteMs, 'different'],
      [firstMinute + 2 * minuteMs, 'equal'],
    ]);
  });

  it('is a hole when ids between the bars around it are missing', () => {
    const coverage = [
      { firstId: 99, lastId: 104 },
      { firstId: 110, lastId: 115 },
    ];
    const open = [{ ...first, isFinal: true }, last];
    const minutes = judge(
      evidenceOf(open, { coverage }),
      bars.map((bar) => klineOf(bar)),
    );
    expect(verdictsOf(minutes)).toEqual(['hole', 'hole', 'hole']);
    expect(minutes[1]?.differences[0]?.theirs).toBe('10 trades');
  });

  it('is quiet when neither side has a trade, and different when only ours has', () => {
    const quiet = [klineOf(first), aQuietKline(1), klineOf(last)];
    expect(verdictsOf(judge(evidenceOf([first, last]), quiet))).toEqual(['equal', 'quiet', 'equal']);
    expect(verdictsOf(judge(evidenceOf(bars), quiet))).toEqual(['equal', 'different', 'equal']);
  });

  it('does not look beyond the first and the last final bar', () => {
    const klines = [-1, 0, 1, 2, 3].map((at) => klineOf(aBar(at)));
    expect(verdictsOf(judge(evidenceOf(bars), klines))).toEqual(['equal', 'equal', 'equal']);
  });
});
