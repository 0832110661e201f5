import { compareFields } from './bar-fields.js';
import { holesBetween, isCovered } from './coverage.js';
import type { JudgedMinute, MinuteVerdict } from './minute-verdict.js';
import type { Bar, BarEvidence, IdRange } from './ports/bars.js';
import type { Kline } from './ports/exchange.js';

const minuteMs = 60_000;
const mostMissingRanges = 100;

export interface BarCheckInput {
  readonly evidence: BarEvidence;
  /** The exchange's minutes; one that is not among them is one that the exchange does not have. */
  readonly klines: readonly Kline[];
  /** Epoch ms of whole minutes: those that start in [from, to) are judged. The evidence is of this range. */
  readonly from: number;
  readonly to: number;
  /**
   * Epoch ms. The exchange's bars of minutes that end later may be missing or unfinished because of their age alone: it is
   * then late, neither halted nor different. By the exchange's own clock; how old is old enough, the caller says.
   */
  readonly settledUntil: number;
  /** False where the exchange cuts the quote volume of each fill (`hasExactQuote`). */
  readonly isExactQuote: boolean;
}

/** One minute of the range with all that is known of it. */
interface Minute {
  readonly windowStart: number;
  readonly bar: Bar | undefined;
  readonly kline: Kline | undefined;
  /** The last id of the minute with trades before it, the first of the one after it. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** True where the exchange's bar may be missing or unfinished because of its age. */
  readonly mayBeLate: boolean;
}

type Proof = 'proven' | Extract<MinuteVerdict, 'edge' | 'hole' | 'disordered'>;
type Finding = Pick<JudgedMinute, 'verdict'> & Partial<JudgedMinute>;

/**
 * Exactly one verdict for every minute of the range, in order of time. Trusts nothing that a bar says of itself: whether it
 * is final is computed again from the coverage. Bars outside the range, and a bar that does not start at a whole minute,
 * are not looked at.
 */
export function judgeMinutes(input: BarCheckInput): JudgedMinute[] {
  const { coverage } = input.evidence;
  return minutesOf(input).map((minute) => {
    const { windowStart, bar, before, after } = minute;
    const finding =
      bar === undefined ? judgeWithoutBar(minute, coverage) : judgeBar({ ...minute, bar }, input);
    const missingIds =
      finding.verdict === 'hole' ? holesBetween(coverage, before, after).slice(0, mostMissingRanges) : [];
    return { windowStart, isCompared: false, differences: [], missingIds, ...finding };
  });
}

/**
 * The neighbours are the minutes right beside it and none beyond, as in `finalize_bars`: one id that is far too high must
 * not put every later minute out of order.
 */
function minutesOf({ evidence, klines, from, to, settledUntil }: BarCheckInput): Minute[] {
  const bars = evidence.bars.filter(({ windowStart }) => windowStart >= from && windowStart < to);
  const klineAt = new Map(klines.map((kline) => [kline.openTime, kline]));
  const minutes: Minute[] = [];
  let next = 0;
  for (let windowStart = from; windowStart < to; windowStart += minuteMs) {
    while ((bars[next]?.windowStart ?? Infinity) < windowStart) next += 1;
    const bar = bars[next]?.windowStart === windowStart ? bars[next] : undefined;
    minutes.push({
      windowStart,
      bar,
      kline: klineAt.get(windowStart),
      before: next === 0 ? evidence.lastIdBefore : bars[next - 1]?.lastAggTradeId,
      after: bars[bar === undefined ? next : next + 1]?.firstAggTradeId ?? evidence.firstIdAfter,
      mayBeLate: windowStart + minuteMs > settledUntil,
    });
  }
  return minutes;
}

function judgeBar(
  minute: Minute & { readonly bar: Bar },
  { evidence, isExactQuote }: BarCheckInput,
): Finding {
  const { bar, kline, mayBeLate } = minute;
  const proof = proofOf(minute, evidence.coverage);
  if (!bar.isFinal) return { verdict: proof === 'proven' ? 'unproven' : proof };
  if (proof !== 'proven') return { verdict: proof === 'edge' ? 'unproven' : proof };
  const hasRawGap = bar.tradeCount !== bar.lastTradeId - bar.firstTradeId + 1;
  if (mayBeLate && !hasRawGap && (kline?.tradeCount ?? 0) < bar.tradeCount)
    return { verdict: 'exchange late' };
  if (kline === undefined) {
    const differences = [noBarThere(`${bar.tradeCount} trades`, undefined)];
    return { verdict: hasRawGap ? 'raw gap' : 'different', differences };
  }
  const { differences, isQuoteCut } = compareFields(bar, kline, isExactQuote);
  const compared = differences.length > 0 ? 'different' : isQuoteCut ? 'equal (quote cut)' : 'equal';
  return { verdict: hasRawGap ? 'raw gap' : compared, isCompared: true, differences };
}

/**
 * The rule of a final bar, independent of who set it: one single range of the coverage reaches from the last trade of
 * the minute with trades before it (or from id 0) to the first trade of the one after it, and their ids do not interleave.
 */
function proofOf(
  { bar, before, after }: Minute & { readonly bar: Bar },
  coverage: readonly IdRange[],
): Proof {
  if ((before ?? -1) >= bar.firstAggTradeId || (after ?? Infinity) <= bar.lastAggTradeId) return 'disordered';
  if (after !== undefined && isCovered(coverage, before ?? 0, after)) return 'proven';
  return isCovered(coverage, before ?? bar.firstAggTradeId, after ?? bar.lastAggTradeId) ? 'edge' : 'hole';
}

/** A minute that is none of ours. Where the exchange counts no trade in it, no missing id can be of it either. */
function judgeWithoutBar(minute: Minute, coverage: readonly IdRange[]): Finding {
  const { kline, mayBeLate } = minute;
  const proof = emptinessOf(minute, coverage);
  if (proof === 'edge' || proof === 'disordered') return { verdict: proof };
  if (kline?.tradeCount === 0 && (proof === 'proven' || !mayBeLate)) return { verdict: 'quiet' };
  const differences = kline === undefined ? [] : [noBarThere(undefined, `${kline.tradeCount} trades`)];
  if (proof === 'hole') return { verdict: 'hole', differences };
  if (kline !== undefined) return { verdict: 'different', differences };
  return { verdict: mayBeLate ? 'exchange late' : 'halt' };
}

/** That nothing was traded is proven by the trades around it, and before the first trade of all by id 0. */
function emptinessOf({ before, after }: Minute, coverage: readonly IdRange[]): Proof {
  if (after === undefined) return 'edge';
  if (before !== undefined && before >= after) return 'disordered';
  if (isCovered(coverage, before ?? 0, after)) return 'proven';
  return before === undefined ? 'edge' : 'hole';
}

const noBarThere = (ours: string | undefined, theirs: string | undefined) => ({
  field: 'bar',
  ours,
  theirs,
  difference: undefined,
});
