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
 * What is known of one minute. Good: `equal`; `equal (quote cut)`, the exchange cuts each raw fill's quote volume to 8
 * decimals; `quiet`, no trade here and none there; `edge`, not final because nothing before or after proves it yet.
 * Not good: `hole`, ids are missing in or beside it; `raw gap`, its count is not its span of raw ids; `disordered`, its
 * ids interleave with another minute's; `unproven`, what the bar says of being final is not what the coverage says;
 * `different`, a field or a whole bar is not the exchange's.
 */
export type MinuteVerdict =
  | 'equal'
  | 'equal (quote cut)'
  | 'quiet'
  | 'edge'
  | 'hole'
  | 'raw gap'
  | 'disordered'
  | 'unproven'
  | 'different';

const goodVerdicts: ReadonlySet<MinuteVerdict> = new Set(['equal', 'equal (quote cut)', 'quiet', 'edge']);

/** True where a minute with this verdict is no reason to doubt the data. */
export const isGood = (verdict: MinuteVerdict): boolean => goodVerdicts.has(verdict);

/** One minute of one symbol, judged. */
export interface JudgedMinute {
  /** Epoch ms. */
  readonly windowStart: number;
  readonly verdict: MinuteVerdict;
  /** True where a final bar of ours was held against a bar of the exchange. */
  readonly isCompared: boolean;
  readonly differences: readonly Difference[];
}
