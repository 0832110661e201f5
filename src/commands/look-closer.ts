import { shortLivedStarts } from '../core/driver-starts.js';
import { UnreachableError } from '../core/errors.js';
import { ageOf, type JobRun } from '../core/ports/runs.js';
import type { MasterReport, SparkCluster } from '../core/ports/spark.js';
import { heartbeatLimitMs, type Evidence } from '../core/run-situation.js';
import { registersItself } from '../core/submission.js';
import type { LocatePorts } from './locate-run.js';

/** Of the end of a driver's stderr; each start writes some ten kB into it. */
const stderrBytes = 262_144;
/** An application that lives so long is no crash loop. */
const stableMs = 60_000;
/** Spark's StandaloneSchedulerBackend logs it at INFO when the master has taken the application. */
const connectedMark = /Connected to Spark cluster with app ID (app-[\w-]+)/g;

/** What a look gives, or undefined where Spark does not answer it: then less is known, and nothing else is changed. */
async function ifAnswered<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof UnreachableError) return undefined;
    throw error;
  }
}

const stderrOf = async (spark: SparkCluster, submissionId: string): Promise<string> =>
  (await ifAnswered(spark.driverLog(submissionId, 'stderr', stderrBytes))) ?? '';

/** The application of a program: by its name, which a program may have changed, or by what its driver's log says. */
async function applicationOf(
  ports: LocatePorts,
  run: JobRun,
  master: MasterReport,
): Promise<string | undefined> {
  const named = master.apps.find(({ name }) => name.endsWith(run.runId));
  if (named !== undefined || run.applicationId !== undefined) return named?.id ?? run.applicationId;
  return [...(await stderrOf(ports.spark, run.submissionId ?? '')).matchAll(connectedMark)].at(-1)?.[1];
}

/** Writes down for a program that knows nothing of the book of runs that it runs, and which application it has become. */
async function speakFor(ports: LocatePorts, run: JobRun, master: MasterReport | undefined): Promise<JobRun> {
  const applicationId = master === undefined ? undefined : await applicationOf(ports, run, master);
  if (applicationId !== undefined && applicationId !== run.applicationId) {
    const uiUrl = master?.apps.find(({ id }) => id === applicationId)?.pageUrl;
    await ports.book.setApplication(run.runId, { applicationId, uiUrl });
  } else if (run.state === 'RUNNING') return run;
  if (run.state !== 'RUNNING') await ports.book.setState(run.runId, 'RUNNING');
  return (await ports.book.find(run.runId)) ?? run;
}

function mayCrashLoop(run: JobRun, master: MasterReport | undefined): boolean {
  if (!run.supervise) return false;
  if (registersItself(run)) return run.state !== 'RUNNING' || ageOf(run, run.heartbeatAt) > heartbeatLimitMs;
  const app = master?.apps.find(({ id }) => id === run.applicationId);
  return app?.state !== 'RUNNING' || (app.durationMs ?? 0) < stableMs;
}

/** Everything else that tells how a run with a living driver is. */
export async function lookCloser(
  ports: LocatePorts,
  run: JobRun,
  driverState: string,
): Promise<Evidence & { readonly run: JobRun }> {
  const master = await ifAnswered(ports.spark.master());
  if (driverState !== 'RUNNING') return { run, driverState, master };
  const now = registersItself(run) ? run : await speakFor(ports, run, master);
  if (!mayCrashLoop(now, master)) return { run: now, driverState, master };
  const failedStarts = shortLivedStarts(await stderrOf(ports.spark, now.submissionId ?? ''), stableMs);
  return { run: now, driverState, master, failedStarts };
}
