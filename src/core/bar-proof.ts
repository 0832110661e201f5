import type { MinuteVerdict } from './minute-verdict.js';

/**
 * How well a bar is proven:
 * - `verified`: final, and verify has held every minute of it against the exchange's;
 * - `final`: complete by its trade ids, not compared since;
 * - `open`: not final, it may still grow;
 * - `different`: verify found something wrong in it;
 * - `sample`: rows to look at, which nobody has traded.
 */
export type Proof = 'verified' | 'final' | 'open' | 'different' | 'sample';

/** Rows of `scripts/` that are there to be looked at. */
export const sampleSource = 'sample';

const confirming: readonly MinuteVerdict[] = ['equal', 'equal (quote cut)', 'quiet', 'halt'];
/** A `hole` is not among them: a bar beside one is not final, and a final bar has outlived that verdict. */
const wrong: readonly MinuteVerdict[] = ['different', 'raw gap', 'disordered', 'unproven'];

export interface BarEvidenceSummary {
  readonly source: string;
  readonly isFinal: boolean;
  /** How many minutes the bar is long. */
  readonly minutes: number;
  /** How many of its minutes have which verdict; none that is older than its minute's being final. */
  readonly verdicts: Partial<Readonly<Record<MinuteVerdict, number>>>;
}

/** One word for a bar of any length. */
export function proofOf({ source, isFinal, minutes, verdicts }: BarEvidenceSummary): Proof {
  const count = (names: readonly MinuteVerdict[]): number =>
    names.reduce((sum, name) => sum + (verdicts[name] ?? 0), 0);
  if (source === sampleSource) return 'sample';
  if (count(wrong) > 0) return 'different';
  if (!isFinal) return 'open';
  return count(confirming) >= minutes ? 'verified' : 'final';
}

/** What is wrong with a bar, in a few words each; `fields` are those in which it is not the exchange's. */
export function findingsOf(
  verdicts: BarEvidenceSummary['verdicts'],
  fields: readonly string[],
): readonly string[] {
  const shown = [...wrong, 'hole' as const].filter((name) => (verdicts[name] ?? 0) > 0);
  return shown.map((name) =>
    name === 'different' && fields.length > 0 ? `different: ${fields.join(', ')}` : name,
  );
}
