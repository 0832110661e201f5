import { compareFields } from './bar-fields.js';
import type { JudgedMinute, MinuteVerdict } from './minute-verdict.js';
import type { Bar, BarEvidence, IdRange } from './ports/bars.js';
import type { Kline } from './ports/exchange.js';

export interface BarCheckInput {
  readonly evidence: BarEvidence;
  /** The exchange's minutes between our first and our last final bar; others are not looked at. */
  readonly klines: readonly Kline[];
  /** False where the exchange cuts the quote volume of each fill (`hasExactQuote`). */
  readonly isExactQuote: boolean;
}

/** The trades around a bar: the last id of the minute with trades before it, the first of the one after it. */
interface Neighbours {
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/**
 * A verdict for every minute that has a bar of ours or, between our first and last final bar, one of the exchange's.
 * In order of time. Trusts nothing that a bar says of itself: whether it is final is computed again from the coverage.
 */
export function judgeMinutes(input: BarCheckInput): JudgedMinute[] {
  const { bars } = input.evidence;
  const span = finalSpan(bars);
  const klines = new Map(
    input.klines
      .filter(({ openTime }) => span !== undefined && openTime >= span.first && openTime <= span.last)
      .map((kline) => [kline.openTime, kline]),
  );
  const neighbours = neighboursOf(input.evidence);
  const judged = bars.map((bar, index) =>
    judgeBar(
      bar,
      neighbours[index] ?? { before: undefined, after: undefined },
      klines.get(bar.windowStart),
      input,
    ),
  );
  const ours = new Set(bars.map(({ windowStart }) => windowStart));
  const withoutBar = [...klines.values()].filter(({ openTime }) => !ours.has(openTime));
  return [...judged, ...withoutBar.map((kline) => judgeWithoutBar(kline, input.evidence))].sort(
    (left, right) => left.windowStart - right.windowStart,
  );
}

/** The starts of the first and the last final bar: between them every minute can be held against the exchange. */
export function finalSpan(
  bars: readonly Bar[],
): { readonly first: number; readonly last: number } | undefined {
  const final = bars.filter(({ isFinal }) => isFinal);
  const [first, last] = [final[0], final.at(-1)];
  return first === undefined || last === undefined
    ? undefined
    : { first: first.windowStart, last: last.windowStart };
}

/** Where the first bar that starts at this time or later stands; bars are in order of time. */
export function indexFrom(bars: readonly Bar[], time: number): number {
  let [low, high] = [0, bars.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bars[middle]?.windowStart ?? Infinity) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The ids missing between two trades, as ranges; the trades themselves count as what they border. */
export function holesBetween(
  coverage: readonly IdRange[],
  before: number | undefined,
  after: number | undefined,
): IdRange[] {
  return coverage
    .slice(1)
    .map((range, index) => ({ firstId: (coverage[index]?.lastId ?? -1) + 1, lastId: range.firstId - 1 }))
    .filter(
      ({ firstId, lastId }) =>
        (before === undefined || lastId > before) && (after === undefined || firstId < after),
    );
}

/**
 * The minutes right beside each one and none beyond, as in `finalize_bars`: one id that is far too high must not put every
 * later minute out of order.
 */
const neighboursOf = ({ bars, lastIdBefore, firstIdAfter }: BarEvidence): Neighbours[] =>
  bars.map((_bar, index) => ({
    before: index === 0 ? lastIdBefore : bars[index - 1]?.lastAggTradeId,
    after: index === bars.length - 1 ? firstIdAfter : bars[index + 1]?.firstAggTradeId,
  }));

function judgeBar(
  bar: Bar,
  neighbours: Neighbours,
  kline: Kline | undefined,
  { evidence, isExactQuote }: BarCheckInput,
): JudgedMinute {
  const base = { windowStart: bar.windowStart, isCompared: false, differences: [] };
  const proof = proofOf(bar, neighbours, evidence.coverage);
  if (!bar.isFinal) return { ...base, verdict: proof === 'proven' ? 'unproven' : proof };
  if (proof !== 'proven') return { ...base, verdict: proof === 'edge' ? 'unproven' : proof };
  const hasRawGap = bar.tradeCount !== bar.lastTradeId - bar.firstTradeId + 1;
  if (kline === undefined) {
    const differences = [noBarThere(`${bar.tradeCount} trades`, undefined)];
    return { ...base, verdict: hasRawGap ? 'raw gap' : 'different', differences };
  }
  const { differences, isQuoteCut } = compareFields(bar, kline, isExactQuote);
  const compared = differences.length > 0 ? 'different' : isQuoteCut ? 'equal (quote cut)' : 'equal';
  return { ...base, isCompared: true, verdict: hasRawGap ? 'raw gap' : compared, differences };
}

/**
 * The rule of a final bar, independent of who set it: one single range of the coverage reaches from the last trade of
 * the minute with trades before it (or from id 0) to the first trade of the one after it, and their ids do not interleave.
 */
function proofOf(
  bar: Bar,
  { before, after }: Neighbours,
  coverage: readonly IdRange[],
): 'proven' | Extract<MinuteVerdict, 'edge' | 'hole' | 'disordered'> {
  if ((before ?? -1) >= bar.firstAggTradeId || (after ?? Infinity) <= bar.lastAggTradeId) return 'disordered';
  const isSpanned = (first: number, last: number): boolean =>
    coverage.some(({ firstId, lastId }) => firstId <= first && last <= lastId);
  if (after !== undefined && isSpanned(before ?? 0, after)) return 'proven';
  return isSpanned(before ?? bar.firstAggTradeId, after ?? bar.lastAggTradeId) ? 'edge' : 'hole';
}

/** A minute of the exchange that is none of ours: quiet where nothing was traded, else lost in a hole or simply not there. */
function judgeWithoutBar(kline: Kline, { bars, coverage, lastIdBefore }: BarEvidence): JudgedMinute {
  const base = { windowStart: kline.openTime, isCompared: false, differences: [] };
  if (kline.tradeCount === 0) return { ...base, verdict: 'quiet' };
  const next = indexFrom(bars, kline.openTime);
  const before = bars[next - 1]?.lastAggTradeId ?? lastIdBefore;
  const holes = holesBetween(coverage, before, bars[next]?.firstAggTradeId);
  const differences = [noBarThere(undefined, `${kline.tradeCount} trades`)];
  return { ...base, verdict: holes.length > 0 ? 'hole' : 'different', differences };
}

const noBarThere = (ours: string | undefined, theirs: string | undefined) => ({
  field: 'bar',
  ours,
  theirs,
  difference: undefined,
});
