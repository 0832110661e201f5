import { InterruptedError, UnreachableError } from '../core/errors.js';
import type { JobRun } from '../core/ports/runs.js';
import { stopCommand } from '../core/run-commands.js';
import { awaitRun, crashLoopOf, failureOf, isCrashLooping, tellChanges } from './await-run.js';
import type { Reconciled, ReconcilePorts } from './reconcile.js';

export interface FollowPorts extends ReconcilePorts {
  /** One line for a person on what happens to the run. */
  readonly say?: (line: string) => void;
}

const howToFollow = (run: JobRun): string =>
  `See it with \`cryptopipe runs show ${run.runId}\`, its log with \`cryptopipe logs ${run.runId} --follow\`, end it with \`${stopCommand(run)}\`.`;

/**
 * Follows a run to its end and returns it only where it FINISHED. Ctrl-C leaves the run alone.
 * @throws JobFailedError for every other end and for a crash loop, UnreachableError where the time is over before the run,
 * InterruptedError after a Ctrl-C.
 */
export async function follow(
  ports: FollowPorts,
  run: JobRun,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<JobRun> {
  const tell = tellChanges(ports.say, run.runId);
  const until = (now: Reconciled): boolean => {
    tell(now);
    return isCrashLooping(now);
  };
  const seen = await awaitRun(ports, run, { ...options, until });
  if (seen.ended === 'interrupted')
    throw new InterruptedError(
      `Run ${run.runId} goes on (${seen.run.state}); only the wait for it was ended`,
      {
        nextStep: howToFollow(run),
      },
    );
  if (seen.ended === 'timed out')
    throw new UnreachableError(
      `Run ${run.runId} goes on (${seen.run.state}, ${seen.situation.name}: ${seen.situation.sentence}); the wait for it is over`,
      { nextStep: howToFollow(run) },
    );
  if (isCrashLooping(seen)) throw await crashLoopOf(ports, seen);
  if (seen.run.state !== 'FINISHED') throw await failureOf(ports, seen.run);
  return seen.run;
}
