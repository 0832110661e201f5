import type { SkippedCheck } from '../../core/ports/check.js';
import type { Problem } from '../../core/problem.js';

/** Everything that one call of `check` found out. */
export interface CheckReport {
  /** Names of jobs, or the file. */
  readonly checked: readonly string[];
  readonly problems: readonly Problem[];
  readonly skipped: readonly SkippedCheck[];
  /** `job.parameter` of what was looked at with a value that is made up, because nobody has to know it yet. */
  readonly madeUp: readonly string[];
  readonly statements: number;
  readonly isWarm: boolean | undefined;
}

/**
 * The exit code of a report: 2 where only what was typed is wrong, 3 where a file is, or where a check could not be made and
 * that is not allowed; 4 where only the master did not answer.
 */
export function exitCodeOf(report: CheckReport, allowSkipped: boolean): 0 | 2 | 3 | 4 {
  if (report.problems.length > 0) return report.problems.every(({ file }) => file === undefined) ? 2 : 3;
  if (report.skipped.length === 0 || allowSkipped) return 0;
  return report.skipped.every(({ what }) => what === 'resources') ? 4 : 3;
}
