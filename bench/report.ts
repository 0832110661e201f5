import Table from 'cli-table3';

/** One number that a benchmark found. Nothing here judges it: the goal stands beside it. */
export interface Measure {
  readonly bench: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** As a person reads it: `60,000 or more`. */
  readonly goal?: string;
  /** How it was measured, or what ran beside it. */
  readonly note?: string;
}

const shown = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 3 : value < 100 ? 1 : 0 });

/** All measures as one table for people. */
export function tableOf(measures: readonly Measure[]): string {
  const table = new Table({
    head: ['bench', 'what', 'measured', 'unit', 'goal', 'how'],
    colWidths: [null, 38, null, null, null, 56],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const { bench, what, value, unit, goal, note } of measures)
    table.push([bench, what, { content: shown(value), hAlign: 'right' }, unit, goal ?? '', note ?? '']);
  return table.toString();
}

/** The value that this share of the sorted values does not exceed (nearest rank). */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
