import { isLive, meaningOf } from '../core/driver-state.js';
import { failureLine, messageLine, tellingEnd, type DriverLog } from '../core/driver-log.js';
import { UnreachableError } from '../core/errors.js';
import type { Clock } from '../core/ports/clock.js';
import { ageOf, type JobRun, type RunState } from '../core/ports/runs.js';
import type { DriverReport, LogStream, SparkCluster } from '../core/ports/spark.js';
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
}

/** A POST that is on its way may still arrive: so long a run without a driver is not called lost. */
const postGraceMs = 15_000;
/** The job says each second that it lives; a master that restarted may have forgotten a driver that still works. */
const heartbeatGraceMs = 30_000;

/** True while a run that has registered itself surely works, whatever the master knows of its driver. */
export const saysThatItLives = (run: JobRun): boolean => ageOf(run, run.heartbeatAt) < heartbeatGraceMs;

/** The exception that ends a JVM may carry hundreds of frames. */
const logBytes = 262_144;

async function readLog(spark: SparkCluster, submissionId: string, stream: LogStream): Promise<string> {
  try {
    return await spark.driverLog(submissionId, stream, logBytes);
  } catch (error) {
    if (error instanceof UnreachableError) return '';
    throw error;
  }
}

async function readDriverLog(spark: SparkCluster, submissionId: string): Promise<DriverLog> {
  const [stdout, stderr] = await Promise.all([
    readLog(spark, submissionId, 'stdout'),
    readLog(spark, submissionId, 'stderr'),
  ]);
  return { stdout, stderr };
}

/** What a driver's log says of its end; empty where the log cannot be had. */
export async function readTellingEnd(spark: SparkCluster, submissionId: string): Promise<string> {
  return tellingEnd(await readDriverLog(spark, submissionId));
}

async function settled(ports: ReconcilePorts, run: JobRun, state: RunState, why: string): Promise<JobRun> {
  await ports.book.setState(run.runId, state, why);
  return (await ports.book.find(run.runId)) ?? run;
}

async function adoptOrLose(ports: ReconcilePorts, run: JobRun, location: Location): Promise<Reconciled> {
  const asIs = { run, driverState: undefined, unclear: undefined };
  switch (location.kind) {
    case 'found':
      await ports.book.setSubmission(run.runId, location.submissionId);
      return reconcile(ports, { ...run, submissionId: location.submissionId });
    case 'unclear':
      return { ...asIs, unclear: location.because };
    case 'absent':
      if (ageOf(run, run.createdAt) < postGraceMs)
        return { ...asIs, unclear: 'it was written down a moment ago and may still arrive at Spark' };
      return { ...asIs, run: await settled(ports, run, 'LOST', 'it never arrived at Spark') };
  }
}

/** Why a driver ended badly, in one line: Spark's own message where it could not start, else what its log says. */
async function causeOf(spark: SparkCluster, report: DriverReport): Promise<string | undefined> {
  if (report.message !== undefined) return messageLine(report.message);
  const log = await readDriverLog(spark, report.submissionId);
  // Spark tells nobody the exit code; an empty stderr is one that could not be read.
  return (
    failureLine(log) ?? (log.stderr === '' ? undefined : 'its log names no error: a signal may have ended it')
  );
}

/**
 * Holds one run against Spark and writes down what ended without saying so. A run that has ended is returned as it is.
 * @throws UnreachableError when Spark does not answer: then nothing is known, and nothing is written.
 */
export async function reconcile(ports: ReconcilePorts, run: JobRun): Promise<Reconciled> {
  const asIs = { run, driverState: undefined, unclear: undefined };
  if (!isLive(run.state)) return asIs;
  if (run.submissionId === undefined) return adoptOrLose(ports, run, await locateRun(ports, run));
  const report = await ports.spark.driver(run.submissionId);
  const driver = meaningOf(report.driverState);
  const result = { ...asIs, driverState: report.driverState ?? 'GONE' };
  if (driver.runState === undefined) return result;
  if (driver.runState === 'LOST' && saysThatItLives(run)) return result;
  // The job writes its own end, with a better reason, just before its process ends.
  const fresh = await ports.book.find(run.runId);
  if (fresh === undefined || !isLive(fresh.state)) return { ...result, run: fresh ?? run };
  const cause = driver.runState === 'FAILED' ? await causeOf(ports.spark, report) : undefined;
  const why = `driver ${report.driverState ?? 'GONE'}: ${driver.meaning}${cause === undefined ? '' : `; ${cause}`}`;
  return { ...result, run: await settled(ports, fresh, driver.runState, why) };
}
