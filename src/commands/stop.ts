import { isLive, meaningOf } from '../core/driver-state.js';
import { InterruptedError, JobFailedError, UnreachableError, UsageError } from '../core/errors.js';
import type { JobRun } from '../core/ports/runs.js';
import { registersItself } from '../core/submission.js';
import { awaitRun, failureOf } from './await-run.js';
import { findRun } from './find-run.js';
import { reconcile, saysThatItLives, type ReconcilePorts } from './reconcile.js';

export interface StopOptions {
  readonly run: string;
  readonly kill: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Stopped {
  readonly run: JobRun;
  /** False where the run had ended before. */
  readonly wasLive: boolean;
}

/**
 * Ends a run at a batch boundary, or by force with `kill`; a run that has ended is left as it is. One whose driver still
 * waits for a worker has nothing under way and is ended at once.
 */
export async function stop(ports: ReconcilePorts, options: StopOptions): Promise<Stopped> {
  const { run, driverState } = await reconcile(
    ports,
    await findRun(ports.book, options.run, { livingFirst: true }),
  );
  if (!isLive(run.state)) return { run, wasLive: false };
  const isAtOnce = options.kill || driverState === 'SUBMITTED';
  if (!isAtOnce && !registersItself(run))
    throw new UsageError(`The program of run ${run.runId} does not look whether it should stop`, {
      nextStep: `End it at once: \`cryptopipe stop ${run.runId} --kill\`.`,
    });
  return { run: await (isAtOnce ? kill(ports, run, options) : ask(ports, run, options)), wasLive: true };
}

async function ask(ports: ReconcilePorts, run: JobRun, options: StopOptions): Promise<JobRun> {
  await ports.book.requestStop(run.runId);
  const seen = await awaitRun(ports, run, { ...options, until: () => false });
  if (seen.ended === 'interrupted')
    throw new InterruptedError(`Run ${run.runId} was asked to stop and does so; only the wait was ended`, {
      nextStep: `See it with \`cryptopipe runs show ${run.runId}\`.`,
    });
  if (seen.ended !== 'reached')
    throw new UnreachableError(`Run ${run.runId} was asked to stop and still is ${seen.run.state}`, {
      nextStep: `It stops at its next batch boundary. By force: \`cryptopipe stop ${run.runId} --kill\`.`,
    });
  // A job that was stopped before its work was done says KILLED; a stream that was stopped has finished.
  if (seen.run.state !== 'FINISHED' && seen.run.state !== 'KILLED') throw await failureOf(ports, seen.run);
  return seen.run;
}

/** A driver that the master has forgotten cannot be killed through it, and may work on. */
async function hasEnded(
  ports: ReconcilePorts,
  { runId }: JobRun,
  driverState: string | undefined,
): Promise<boolean> {
  if (driverState !== undefined) return meaningOf(driverState).isFinal;
  const run = await ports.book.find(runId);
  return run === undefined || !isLive(run.state) || !saysThatItLives(run);
}

function stillThere(runId: string, submissionId: string, driverState: string | undefined): UnreachableError {
  if (driverState === undefined)
    return new UnreachableError(
      `The master does not know ${submissionId} any more and cannot end it, and run ${runId} still says that it lives`,
      { nextStep: `The job itself can be asked: \`cryptopipe stop ${runId}\`.` },
    );
  return new UnreachableError(`${submissionId} was told to end and is still ${driverState}`, {
    nextStep: 'Look with `cryptopipe runs`, then try again.',
  });
}

/** Kills the driver that has come in the place of `target`, and returns its id; `target` where there is none yet. */
async function killNext(ports: ReconcilePorts, run: JobRun, target: string): Promise<string> {
  const fresh = await ports.book.find(run.runId);
  const next = (await reconcile(ports, fresh ?? run)).run.submissionId;
  if (next === undefined || next === target) return target;
  await ports.spark.kill(next);
  return next;
}

async function kill(ports: ReconcilePorts, run: JobRun, options: StopOptions): Promise<JobRun> {
  const { submissionId } = run;
  if (submissionId === undefined)
    throw new JobFailedError(`Run ${run.runId} has no driver yet that could be killed`, {
      nextStep: 'Wait a quarter of a minute and look with `cryptopipe runs`.',
    });
  await ports.spark.kill(submissionId);
  const deadline = ports.clock.now() + options.timeoutMs;
  let target = submissionId;
  for (;;) {
    const { driverState } = await ports.spark.driver(target);
    const isRelaunching = driverState === 'RELAUNCHING';
    // What Spark will start elsewhere cannot be killed yet. A job of ours finds out that its run has ended, and ends too;
    // a foreign program never does, so its next driver is waited for.
    if (isRelaunching ? registersItself(run) : await hasEnded(ports, run, driverState)) break;
    if (ports.clock.now() >= deadline || options.signal.aborted)
      throw stillThere(run.runId, target, driverState);
    if (isRelaunching) target = await killNext(ports, run, target);
    await ports.clock.sleep(500, options.signal);
  }
  await ports.book.setState(run.runId, 'KILLED', 'killed by `cryptopipe stop --kill`');
  // Says that this end was ordered. Not before: a job that sees it ends by itself, and would be FINISHED.
  await ports.book.requestStop(run.runId);
  return (await ports.book.find(run.runId)) ?? run;
}
