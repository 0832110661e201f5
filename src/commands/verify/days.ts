import { holesBetween } from '../../core/coverage.js';
import { UsageError } from '../../core/errors.js';
import type { BarStore } from '../../core/ports/bars.js';
import { dayAfter, dayOf, daysFrom } from '../../core/utc-day.js';

const minuteMs = 60_000;
/** What is judged is kept until it is printed: two years of minutes, some 200 MB. */
const mostDays = 730;

/** Minutes of one UTC day that are judged together: those that start in [from, to), epoch ms of whole minutes. */
export interface DayRange {
  readonly from: number;
  readonly to: number;
}

export interface WantedRange {
  readonly source: string;
  readonly symbol: string;
  /** Epoch ms; undefined means from the first bar, to the last. */
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/**
 * The days to be judged, in order. A range with both ends is judged minute by minute. Where an end is left to the data,
 * whole days without a bar that a hole explains are left out: between an old tape and today lie a million minutes, and the
 * hole says all there is to say of them.
 *
 * @throws UsageError for a range that is too long to be judged at once.
 */
export async function daysToJudge(bars: BarStore, wanted: WantedRange): Promise<DayRange[]> {
  const days = await bars.barDays(wanted);
  const [first, last] = [days[0], days.at(-1)];
  const from = wholeMinute(wanted.from) ?? first?.firstBarAt;
  const to = wholeMinute(wanted.to) ?? (last === undefined ? undefined : last.lastBarAt + minuteMs);
  if (from === undefined || to === undefined || from >= to) return [];
  const isAsked = wanted.from !== undefined && wanted.to !== undefined;
  const stretches = isAsked ? [{ from, to }] : await withoutLostDays(bars, wanted, { from, to }, days);
  const judged = stretches.flatMap(cutIntoDays);
  if (judged.length > mostDays)
    throw new UsageError(
      `The range of ${wanted.symbol} has ${judged.length} days; at most ${mostDays} are judged at once`,
      {
        nextStep: 'Give a part of it by --from and --to.',
      },
    );
  return judged;
}

async function withoutLostDays(
  bars: BarStore,
  { source, symbol }: WantedRange,
  range: DayRange,
  days: Awaited<ReturnType<BarStore['barDays']>>,
): Promise<DayRange[]> {
  const stretches: DayRange[] = [];
  let { from } = range;
  for (const [index, { lastBarAt }] of days.entries()) {
    const next = days[index + 1];
    const gap = { from: dayAfter(dayOf(lastBarAt)), to: next === undefined ? 0 : dayOf(next.firstBarAt) };
    if (gap.from >= gap.to) continue;
    const { coverage, lastIdBefore, firstIdAfter } = await bars.evidence({ source, symbol, ...gap });
    if (holesBetween(coverage, lastIdBefore, firstIdAfter).length === 0) continue;
    stretches.push({ from, to: gap.from });
    from = gap.to;
  }
  return [...stretches, { from, to: range.to }];
}

const cutIntoDays = ({ from, to }: DayRange): DayRange[] =>
  daysFrom(dayOf(from), dayOf(to - 1)).map((day) => ({
    from: Math.max(from, day),
    to: Math.min(to, dayAfter(day)),
  }));

/** The first whole minute at this time or after it. */
const wholeMinute = (time: number | undefined): number | undefined =>
  time === undefined ? undefined : Math.ceil(time / minuteMs) * minuteMs;
