import type { JobRun } from './ports/runs.js';
import { registersItself } from './submission.js';

/** As a shell of POSIX reads it back. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * What stands behind `cryptopipe submit` to submit the work of a run again. A program and a file of SQL are not of the
 * catalogue, and were typed with more than the book of runs keeps apart: for that stands the `…`.
 */
export function submittedAs(run: Pick<JobRun, 'job' | 'runId' | 'parameters' | 'request'>): string {
  const { file } = run.parameters;
  if (typeof file !== 'string') return run.job;
  if (!registersItself(run)) return `${'class' in run.parameters ? 'jar' : 'python'} ${shellWord(file)} …`;
  return run.job === 'sql' ? `sql ${shellWord(file)} …` : run.job;
}

/** Ends a run: in order, or at once where its program does not look whether it should stop. */
export function stopCommand(run: Pick<JobRun, 'runId' | 'request'>): string {
  return `cryptopipe stop ${run.runId}${registersItself(run) ? '' : ' --kill'}`;
}
