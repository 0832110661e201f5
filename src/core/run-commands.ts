import type { JobRun } from './ports/runs.js';
import { registersItself } from './submission.js';

/** As a shell of POSIX reads it back. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * What stands behind `cryptopipe submit` to submit the work of a run again. A program and a file of SQL are not of the
 * catalogue, and were typed with more than the book of runs keeps apart: for that stands the `…`.
 */
export function submittedAs(run: Submitted): string {
  const file = ownFileOf(run);
  if (file === undefined) return run.job;
  const kind = registersItself(run) ? 'sql' : 'class' in run.parameters ? 'jar' : 'python';
  return `${kind} ${shellWord(file)} …`;
}

/** True for a job that stands in a catalogue, and false for a program or a file of SQL that somebody brought. */
export const isOfCatalogue = (run: Submitted): boolean => ownFileOf(run) === undefined;

type Submitted = Pick<JobRun, 'job' | 'runId' | 'parameters' | 'request'>;

/** The program or the file of SQL that somebody brought; a job of a catalogue may have a parameter of that name too. */
function ownFileOf(run: Submitted): string | undefined {
  const { file } = run.parameters;
  return typeof file === 'string' && (!registersItself(run) || run.job === 'sql') ? file : undefined;
}

/** Ends a run: in order, or at once where its program does not look whether it should stop. */
export function stopCommand(run: Pick<JobRun, 'runId' | 'request'>): string {
  return `cryptopipe stop ${run.runId}${registersItself(run) ? '' : ' --kill'}`;
}
