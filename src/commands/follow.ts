import { UnreachableError } from '../core/errors.js';
import type { JobRun } from '../core/ports/runs.js';
import { awaitRun, failureOf } from './await-run.js';
import type { ReconcilePorts } from './reconcile.js';

/**
 * Follows a run to its end and returns it only where it FINISHED. Ctrl-C leaves the run alone.
 * @throws JobFailedError for every other end, UnreachableError where the wait ended before the run.
 */
export async function follow(
  ports: ReconcilePorts,
  run: JobRun,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<JobRun> {
  const seen = await awaitRun(ports, run, { ...options, until: () => false });
  if (seen.ended !== 'reached')
    throw new UnreachableError(
      `Run ${run.runId} goes on (${seen.run.state}); the wait for it ${seen.ended === 'interrupted' ? 'was interrupted' : 'is over'}`,
      {
        nextStep: `See it with \`cryptopipe runs\`, its log with \`cryptopipe logs ${run.runId}\`.`,
      },
    );
  if (seen.run.state !== 'FINISHED') throw await failureOf(ports, seen.run);
  return seen.run;
}
