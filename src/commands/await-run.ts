import { isLive } from '../core/driver-state.js';
import { JobFailedError, UnreachableError } from '../core/errors.js';
import type { JobRun } from '../core/ports/runs.js';
import { situationOf } from '../core/run-situation.js';
import { readTellingEnd, reconcile, type Reconciled, type ReconcilePorts } from './reconcile.js';

export interface WaitOptions {
  /** Called each second with what is known; true ends the wait. */
  readonly until: (seen: Reconciled) => boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const stepMs = 1000;

/** Tells a person each time that how a run is has changed; the first word only where it is not well. */
export function tellChanges(
  say: ((line: string) => void) | undefined,
  runId: string,
): (now: Reconciled) => void {
  let last: string | undefined;
  return ({ situation }) => {
    if (situation.name !== last && (last !== undefined || !situation.isHealthy))
      say?.(`${runId} ${situation.name}: ${situation.sentence}`);
    last = situation.name;
  };
}

/** How the wait ended, beside the last that was seen. */
export interface Waited extends Reconciled {
  readonly ended: 'reached' | 'timed out' | 'interrupted';
}

async function look(ports: ReconcilePorts, runId: string, last: Reconciled): Promise<Reconciled> {
  const run = (await ports.book.find(runId)) ?? last.run;
  return reconcile(ports, run);
}

/**
 * Looks at a run each second until `until` says yes. A Spark that does not answer for a moment changes nothing; it is
 * thrown only where it has not answered when the time is over.
 */
export async function awaitRun(ports: ReconcilePorts, run: JobRun, options: WaitOptions): Promise<Waited> {
  const deadline = ports.clock.now() + options.timeoutMs;
  let seen: Reconciled = { run, driverState: undefined, unclear: undefined, situation: situationOf(run, {}) };
  for (;;) {
    let silence: UnreachableError | undefined;
    try {
      seen = await look(ports, run.runId, seen);
    } catch (error) {
      if (!(error instanceof UnreachableError) || !error.retryable) throw error;
      silence = error;
    }
    if (silence === undefined && (options.until(seen) || !isLive(seen.run.state)))
      return { ...seen, ended: 'reached' };
    if (options.signal.aborted) return { ...seen, ended: 'interrupted' };
    if (ports.clock.now() >= deadline) {
      if (silence !== undefined) throw silence;
      return { ...seen, ended: 'timed out' };
    }
    await ports.clock.sleep(Math.min(stepMs, deadline - ports.clock.now()), options.signal);
  }
}

/** The error for a living run that will not get better by itself. */
export async function crashLoopOf(
  ports: ReconcilePorts,
  { run, situation }: Reconciled,
): Promise<JobFailedError> {
  const logTail = await readTellingEnd(ports.spark, run.submissionId ?? '');
  return new JobFailedError(`Run ${run.runId} of ${run.job}, crash loop: ${situation.sentence}`, {
    nextStep: `Spark goes on starting it. End it with \`cryptopipe stop ${run.runId} --kill\`.`,
    ...(logTail === '' ? {} : { logTail }),
  });
}

/** True for a living run that dies each time that Spark starts it: nobody needs to wait for it. */
export const isCrashLooping = ({ run, situation }: Reconciled): boolean =>
  situation.name === 'crash loop' && isLive(run.state);

/** The error for a run that ended otherwise than FINISHED, with the telling end of its log. */
export async function failureOf(ports: ReconcilePorts, run: JobRun): Promise<JobFailedError> {
  const logTail = run.submissionId === undefined ? '' : await readTellingEnd(ports.spark, run.submissionId);
  return new JobFailedError(
    `Run ${run.runId} of ${run.job} is ${run.state}${run.error === undefined ? '' : `: ${run.error}`}`,
    {
      nextStep: `See its whole log with \`cryptopipe logs ${run.runId}\`; submit again when the cause is gone.`,
      ...(logTail === '' ? {} : { logTail }),
    },
  );
}
