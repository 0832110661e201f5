import { UsageError } from '../core/errors.js';
import type { JobRun, RunBook } from '../core/ports/runs.js';

/**
 * The run that a person means: a run id, the beginning of exactly one, or a job's name for its newest run.
 * @param options.livingFirst means by a job's name its newest run that lives, where one does
 * @throws UsageError where there is none or more than one.
 */
export async function findRun(
  book: RunBook,
  text: string,
  { livingFirst = false }: { readonly livingFirst?: boolean } = {},
): Promise<JobRun> {
  const exact = await book.find(text);
  if (exact !== undefined) return exact;
  const [living] = livingFirst ? await book.list({ job: text, live: true, limit: 1 }) : [];
  const [newest] = living === undefined ? await book.list({ job: text, limit: 1 }) : [living];
  if (newest !== undefined) return newest;
  const matches = (await book.list()).filter((run) => run.runId.startsWith(text));
  if (matches.length === 1 && matches[0] !== undefined) return matches[0];
  const what = matches.length === 0 ? 'There is no run' : `${matches.length} runs begin with`;
  throw new UsageError(`${what} ${text}`, { nextStep: 'See them with `cryptopipe runs`.' });
}
