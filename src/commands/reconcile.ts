import { isLive, meaningOf } from '../core/driver-state.js';
import { failureLine, messageLine, programRefusal, tellingEnd, type DriverLog } from '../core/driver-log.js';
import { UnreachableError } from '../core/errors.js';
import type { Clock } from '../core/ports/clock.js';
import { ageOf, type JobRun, type RunState } from '../core/ports/runs.js';
import type { DriverReport, LogStream, SparkCluster } from '../core/ports/spark.js';
import { situationOf, type Evidence, type Situation } from '../core/run-situation.js';
import { isChecked } from '../core/submission.js';
import { lookCloser } from './look-closer.js';
import { locateRun, type LocatePorts, type Location } from './locate-run.js';

export interface ReconcilePorts extends LocatePorts {
  readonly clock: Clock;
}

/** A run beside what Spark says of it. */
export interface Reconciled {
  readonly run: JobRun;
  /** Spark's word for its driver; undefined where there is none or nobody asked. */
  readonly driverState: string | undefined;
  /** Why nobody can say yet where the run is. */
  readonly unclear: string | undefined;
  readonly situation: Situation;
}

/** A run and what was found out about it, before anybody has judged it. */
type Held = Evidence & { readonly run: JobRun };

/** A POST that is on its way may still arrive: so long a run without a driver is not called lost. */
const postGraceMs = 15_000;
/** The job says each second that it lives; a master that restarted may have forgotten a driver that still works. */
const heartbeatGraceMs = 30_000;
/** A driver ends with its worker within a second or two; cut off from the master alone, both may live. */
const lostWorkerGraceMs = 10_000;

/** True where its only process has said what it dies of. */
const hasLeft = (run: JobRun): boolean => run.brokeOff && !run.supervise;

/** True while a run that has registered itself surely works, whatever the master knows of its driver. */
export const saysThatItLives = (run: JobRun): boolean =>
  ageOf(run, run.heartbeatAt) < heartbeatGraceMs && !hasLeft(run);

/** The exception that ends a JVM may carry hundreds of frames. */
const logBytes = 262_144;

/** Undefined where nobody gives it. */
async function readLog(
  spark: SparkCluster,
  submissionId: string,
  stream: LogStream,
): Promise<string | undefined> {
  try {
    return await spark.driverLog(submissionId, stream, logBytes);
  } catch (error) {
    if (error instanceof UnreachableError) return undefined;
    throw error;
  }
}

async function readDriverLog(spark: SparkCluster, submissionId: string): Promise<DriverLog> {
  const [stdout, stderr] = await Promise.all([
    readLog(spark, submissionId, 'stdout'),
    readLog(spark, submissionId, 'stderr'),
  ]);
  return { stdout: stdout ?? '', stderr: stderr ?? '' };
}

/** What a driver's log says of its end; empty where the log cannot be had. */
export async function readTellingEnd(spark: SparkCluster, submissionId: string): Promise<string> {
  return tellingEnd(await readDriverLog(spark, submissionId));
}

async function settled(ports: ReconcilePorts, run: JobRun, state: RunState, why?: string): Promise<JobRun> {
  await ports.book.setState(run.runId, state, why);
  return (await ports.book.find(run.runId)) ?? run;
}

const neverSeen = (unread: readonly string[]): string =>
  unread.length === 0
    ? 'it never arrived at Spark'
    : `it never arrived at Spark, or has ended there: the log of ${unread.join(', ')} is gone`;

/** Gives a run the driver that was found for it, or gives it up where there surely is none. */
async function adoptOrLose(ports: ReconcilePorts, run: JobRun, location: Location): Promise<Held> {
  switch (location.kind) {
    case 'found':
      await ports.book.setSubmission(run.runId, location.submissionId);
      return hold(ports, { ...run, submissionId: location.submissionId });
    case 'unclear':
      return { run, unclear: location.because };
    case 'absent':
      if (ageOf(run, run.createdAt) < postGraceMs)
        return { run, unclear: 'it was written down a moment ago and may still arrive at Spark' };
      return { run: await settled(ports, run, 'LOST', neverSeen(location.unread)) };
  }
}

/** Why a driver ended badly, in one line: Spark's message where it could not start, else the job's last word, else its log. */
async function causeOf(spark: SparkCluster, run: JobRun, report: DriverReport): Promise<string | undefined> {
  if (report.message !== undefined) return messageLine(report.message);
  if (run.brokeOff) return run.lastError;
  const log = await readDriverLog(spark, report.submissionId);
  // Spark tells nobody the exit code; an empty stderr is one that could not be read.
  return (
    failureLine(log) ?? (log.stderr === '' ? undefined : 'its log names no error: killed, or out of memory')
  );
}

/** The driver that Spark has started in the place of one that it gave up; undefined where there is none to be seen yet. */
async function successorOf(
  ports: ReconcilePorts,
  run: JobRun,
  driverState: string,
): Promise<Held | undefined> {
  const location = await locateRun(ports, run);
  if (location.kind === 'found') return adoptOrLose(ports, run, location);
  // Of one that is RELAUNCHING it is known that it comes; only a master that has forgotten leaves a doubt.
  const isDoubtful = location.kind === 'unclear' && driverState === 'GONE';
  return isDoubtful ? { run, driverState, unclear: location.because } : undefined;
}

/** A supervised driver whose program was not run ends with 0, so that Spark does not start it again: its log alone tells. */
async function settleFinished(ports: ReconcilePorts, run: JobRun, report: DriverReport): Promise<Held> {
  const driverState = report.driverState ?? 'GONE';
  if (!run.supervise || !isChecked(run.request))
    return { run: await settled(ports, run, 'FINISHED'), driverState };
  const stdout = await readLog(ports.spark, report.submissionId, 'stdout');
  if (stdout === undefined)
    return {
      run,
      driverState,
      unclear: 'its driver is FINISHED, and the log that shows whether its program ran cannot be read',
    };
  const refusal = programRefusal({ stdout });
  const ended =
    refusal === undefined
      ? settled(ports, run, 'FINISHED')
      : settled(ports, run, 'FAILED', `driver FINISHED without a run of the program; ${refusal}`);
  return { run: await ended, driverState };
}

/** Writes down how a run ended whose driver will never run again, unless the job itself says that it lives. */
async function settle(ports: ReconcilePorts, run: JobRun, report: DriverReport): Promise<Held> {
  const driverState = report.driverState ?? 'GONE';
  const { runState, meaning } = meaningOf(driverState);
  if (runState === 'LOST' && saysThatItLives(run)) return { run, driverState };
  // Without a message it did start, and the master gave it up together with its worker.
  const isWorkerLost = driverState === 'ERROR' && report.message === undefined;
  if (isWorkerLost && ageOf(run, run.heartbeatAt) < lostWorkerGraceMs && !hasLeft(run))
    return {
      run,
      driverState,
      unclear: 'the master has lost its worker, and the job said a moment ago that it lives',
    };
  // The job writes its own end, with a better reason, just before its process ends.
  const fresh = await ports.book.find(run.runId);
  if (fresh === undefined || !isLive(fresh.state)) return { run: fresh ?? run, driverState };
  if (runState === 'FINISHED') return settleFinished(ports, fresh, report);
  const cause =
    runState === 'FAILED' && !isWorkerLost ? await causeOf(ports.spark, fresh, report) : undefined;
  const what =
    driverState !== 'ERROR'
      ? meaning
      : isWorkerLost
        ? 'its worker was lost, and the driver with it'
        : 'its process could not be started';
  const why = `driver ${driverState}: ${what}${cause === undefined ? '' : `; ${cause}`}`;
  return { run: await settled(ports, fresh, runState ?? 'LOST', why), driverState };
}

async function hold(ports: ReconcilePorts, run: JobRun): Promise<Held> {
  if (!isLive(run.state)) return { run };
  if (run.submissionId === undefined) return adoptOrLose(ports, run, await locateRun(ports, run));
  const report = await ports.spark.driver(run.submissionId);
  const driverState = report.driverState ?? 'GONE';
  // A master that restarted does not remember that it gave up a driver, only the one that it started instead.
  if (driverState === 'RELAUNCHING' || (driverState === 'GONE' && run.supervise)) {
    const next = await successorOf(ports, run, driverState);
    if (next !== undefined) return next;
  }
  return meaningOf(driverState).isFinal ? settle(ports, run, report) : lookCloser(ports, run, driverState);
}

/**
 * Holds one run against Spark, writes down what ended without saying so, and says how the run is. A run that has ended is
 * returned as it is.
 * @throws UnreachableError when Spark does not answer: then nothing is known, and nothing is written.
 */
export async function reconcile(ports: ReconcilePorts, run: JobRun): Promise<Reconciled> {
  const held = await hold(ports, run);
  const { driverState, unclear } = held;
  return { run: held.run, driverState, unclear, situation: situationOf(held.run, held) };
}
