import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeMinutes, type BarCheckInput } from '../../../src/core/bar-check.js';
import { minuteVerdicts, type JudgedMinute } from '../../../src/core/minute-verdict.js';
import type { Bar, IdRange } from '../../../src/core/ports/bars.js';
import type { Kline } from '../../../src/core/ports/exchange.js';
import { aBar, aQuietKline, evidenceOf, firstMinute, klineOf, minuteMs } from '../../support/bars.js';

const at = (minute: number): number => firstMinute + minute * minuteMs;

describe('any range, any bars, any klines', () => {
  const id = fc.integer({ min: 0, max: 200 });
  /** Bars of some minutes, with ids that may be as wrong as ids can be. */
  const bars = fc
    .uniqueArray(
      fc.record({
        minute: fc.integer({ min: -3, max: 15 }),
        first: id,
        span: fc.integer({ min: 0, max: 20 }),
        isFinal: fc.boolean(),
        count: fc.integer({ min: 1, max: 12 }),
      }),
      { selector: ({ minute }) => minute, maxLength: 15 },
    )
    .map((list): Bar[] =>
      list
        .sort((left, right) => left.minute - right.minute)
        .map(({ minute, first, span, isFinal, count }) =>
          aBar(minute, { firstAggTradeId: first, lastAggTradeId: first + span, isFinal, tradeCount: count }),
        ),
    );
  const coverage = fc.uniqueArray(id, { maxLength: 12 }).map((ids): IdRange[] => {
    const ends = ids.sort((left, right) => left - right);
    return Array.from({ length: Math.floor(ends.length / 2) }, (_, index) => ({
      firstId: ends[index * 2]!,
      lastId: ends[index * 2 + 1]! - 1,
    }));
  });
  const klines = fc
    .array(fc.tuple(fc.integer({ min: -3, max: 15 }), fc.constantFrom('same', 'quiet', 'other')), {
      maxLength: 20,
    })
    .map((list): Kline[] =>
      list.map(([minute, kind]) =>
        kind === 'quiet'
          ? aQuietKline(minute)
          : klineOf(aBar(minute), kind === 'same' ? {} : { close: '1.00000000' }),
      ),
    );
  const input = fc
    .record({
      bars,
      coverage,
      klines,
      from: fc.integer({ min: -4, max: 8 }),
      length: fc.integer({ min: 0, max: 12 }),
      settled: fc.integer({ min: -5, max: 20 }),
      isExactQuote: fc.boolean(),
      before: fc.option(id, { nil: undefined }),
      after: fc.option(id, { nil: undefined }),
    })
    .map(({ from, length, settled, before, after, ...rest }): BarCheckInput => ({
      evidence: { bars: rest.bars, coverage: rest.coverage, lastIdBefore: before, firstIdAfter: after },
      klines: rest.klines,
      from: at(from),
      to: at(from + length),
      settledUntil: at(settled),
      isExactQuote: rest.isExactQuote,
    }));

  it('give every minute of the range exactly one verdict, in order of time', () => {
    fc.assert(
      fc.property(input, (asked) => {
        const minutes = judgeMinutes(asked);
        const length = (asked.to - asked.from) / minuteMs;
        expect(minutes.map(({ windowStart }) => windowStart)).toEqual(
          Array.from({ length }, (_, index) => asked.from + index * minuteMs),
        );
        for (const minute of minutes) {
          expect(minuteVerdicts).toContain(minute.verdict);
          if (minute.verdict === 'different') expect(minute.differences).not.toEqual([]);
          if (minute.verdict === 'hole') continue;
          expect(minute.missingIds).toEqual([]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('give a verdict that says nothing of the exchange the same way without it', () => {
    fc.assert(
      fc.property(input, (asked) => {
        const alone = judgeMinutes({ ...asked, klines: [], settledUntil: -Infinity });
        const own = ['edge', 'disordered', 'unproven'];
        judgeMinutes(asked).forEach((minute, index) => {
          if (own.includes(minute.verdict) || own.includes(alone[index]!.verdict))
            expect(alone[index]).toEqual(minute);
        });
      }),
    );
  });
});

describe('a minute without a bar of ours', () => {
  const two = [aBar(0), aBar(2, { firstAggTradeId: 105, lastAggTradeId: 109 })];
  const between = (changes: Partial<BarCheckInput>, evidence = evidenceOf(two)): JudgedMinute =>
    judgeMinutes({
      ...{ evidence, klines: [], from: at(1), to: at(2), settledUntil: Infinity, isExactQuote: true },
      ...{ ...changes, evidence: { ...evidence, bars: [], lastIdBefore: 104, firstIdAfter: 105 } },
    })[0]!;

  it('is a halt where the exchange has no bar either, once it has had its time', () => {
    expect(between({}).verdict).toBe('halt');
    expect(between({ settledUntil: at(2) }).verdict).toBe('halt');
    expect(between({ settledUntil: at(2) - 1 }).verdict).toBe('exchange late');
  });

  it('is quiet where the exchange counts none, and different where it counts some', () => {
    expect(between({ klines: [aQuietKline(1)] }).verdict).toBe('quiet');
    expect(between({ klines: [klineOf(aBar(1))] }).verdict).toBe('different');
  });

  it('is the hole between its neighbours, with its ids, unless the exchange has long counted nothing', () => {
    const evidence = { ...evidenceOf(two), bars: [], lastIdBefore: 104, firstIdAfter: 120 };
    const coverage = [
      { firstId: 99, lastId: 104 },
      { firstId: 110, lastId: 114 },
      { firstId: 120, lastId: 130 },
    ];
    const judge = (changes: Partial<BarCheckInput>): JudgedMinute =>
      judgeMinutes({
        ...{ evidence: { ...evidence, coverage }, klines: [], from: at(1), to: at(2) },
        ...{ settledUntil: Infinity, isExactQuote: true, ...changes },
      })[0]!;
    expect(judge({})).toMatchObject({
      verdict: 'hole',
      missingIds: [
        { firstId: 105, lastId: 109 },
        { firstId: 115, lastId: 119 },
      ],
    });
    expect(judge({ klines: [aQuietKline(1)] }).verdict).toBe('quiet');
    expect(judge({ klines: [aQuietKline(1)], settledUntil: at(1) }).verdict).toBe('hole');
  });

  it('is an edge before the first bar and after the last, but for a first bar that begins with id 0', () => {
    const verdicts = (lastIdBefore: number | undefined, firstIdAfter: number | undefined, firstId: number) =>
      judgeMinutes({
        evidence: { bars: [], coverage: [{ firstId, lastId: 200 }], lastIdBefore, firstIdAfter },
        ...{ klines: [], from: at(0), to: at(1), settledUntil: Infinity, isExactQuote: true },
      })[0]!.verdict;
    expect(verdicts(undefined, 110, 100)).toBe('edge');
    expect(verdicts(109, undefined, 100)).toBe('edge');
    expect(verdicts(undefined, 110, 0)).toBe('halt');
    expect(verdicts(120, 110, 100)).toBe('disordered');
  });
});
