import type { IdRange } from './ports/bars.js';

/** How much of a field's difference is explained. */
export type FieldVerdict = 'equal' | 'quote cut' | 'different';

/** A field in which a bar is not the exchange's; `bar` where one of the two has none at all. */
export interface Difference {
  readonly field: string;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
  /** Ours minus theirs, exact; undefined where one is missing. */
  readonly difference: string | undefined;
}

/**
 * All that can be said of one minute; each gets exactly one. No reason to doubt the data:
 * - `equal`: proven complete, and all nine fields are the exchange's;
 * - `equal (quote cut)`: the same, but that the exchange cuts each raw fill's quote volume to 8 decimals;
 * - `quiet`: no trade of ours, none of the exchange's;
 * - `halt`: no trade of ours, proven, and the exchange has no bar at all;
 * - `edge`: nothing proves its beginning or its end (yet): before our first bar, after our last one, or one of the two;
 * - `exchange late`: ours is proven; the exchange's bar is not there yet or counts fewer trades, and it may still be on its
 *   way: see `settledUntil` of `judgeMinutes`.
 *
 * A reason:
 * - `hole`: ids are missing in or beside it;
 * - `raw gap`: its count is not its span of raw trade ids;
 * - `disordered`: its ids interleave with those of a minute beside it;
 * - `unproven`: what the bar says of being final is not what the coverage says;
 * - `different`: a field, or a whole bar, is not the exchange's.
 */
export const minuteVerdicts = [
  'equal',
  'equal (quote cut)',
  'quiet',
  'halt',
  'edge',
  'exchange late',
  'hole',
  'raw gap',
  'disordered',
  'unproven',
  'different',
] as const;

export type MinuteVerdict = (typeof minuteVerdicts)[number];

const badVerdicts: ReadonlySet<MinuteVerdict> = new Set([
  'hole',
  'raw gap',
  'disordered',
  'unproven',
  'different',
]);

/** True where a minute with this verdict is no reason to doubt the data. */
export const isGood = (verdict: MinuteVerdict): boolean => !badVerdicts.has(verdict);

/** One minute of one symbol, judged. */
export interface JudgedMinute {
  /** Epoch ms. */
  readonly windowStart: number;
  readonly verdict: MinuteVerdict;
  /** True where a final bar of ours was held against a bar of the exchange. */
  readonly isCompared: boolean;
  readonly differences: readonly Difference[];
  /** The ids that are missing in or beside a `hole`, at most the first 100 ranges; empty for all else. */
  readonly missingIds: readonly IdRange[];
}

export type VerdictCounts = Readonly<Record<MinuteVerdict, number>>;

/** How many minutes got which verdict; every verdict has its number. */
export function countVerdicts(minutes: readonly Pick<JudgedMinute, 'verdict'>[]): VerdictCounts {
  const counts = Object.fromEntries(minuteVerdicts.map((verdict) => [verdict, 0])) as Record<
    MinuteVerdict,
    number
  >;
  for (const { verdict } of minutes) counts[verdict] += 1;
  return counts;
}
