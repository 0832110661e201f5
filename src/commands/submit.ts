import { isLive } from '../core/driver-state.js';
import { InterruptedError, RefusedError, UnreachableError } from '../core/errors.js';
import type { FileStore } from '../core/ports/files.js';
import { ageOf, type JobRun, type OpeningRun } from '../core/ports/runs.js';
import type { SubmissionRequest } from '../core/ports/spark.js';
import { settingChanges } from '../core/request-changes.js';
import { roomOf } from '../core/run-room.js';
import {
  appNameOf,
  storedPathOf,
  submissionRequest,
  type ClusterView,
  type Work,
} from '../core/submission.js';
import { requireNoSecret, type KnownSecret } from '../core/secrets.js';
import { awaitRun, crashLoopOf, failureOf, isCrashLooping, tellChanges, type Waited } from './await-run.js';
import { reconcile, type ReconcilePorts } from './reconcile.js';

export interface SubmitPorts extends ReconcilePorts {
  readonly files: FileStore;
  /** One line for a person on what is done. */
  readonly say: (line: string) => void;
}

/** What a submission is made of. */
export interface SubmitPlan {
  readonly work: Work;
  readonly runId: string;
  /** `hdfs://host:port`, as the cluster sees the file store. */
  readonly hdfsRoot: string;
  readonly cluster: ClusterView;
  /** None of them may stand in what is sent. */
  readonly secrets: readonly KnownSecret[];
  /** `user@host` */
  readonly submittedBy: string;
  /** The run in whose place this one comes. */
  readonly replaces?: string;
}

export interface SubmitOptions extends SubmitPlan {
  /** How long the job may take until it has registered itself. */
  readonly registerTimeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Submitted {
  readonly run: JobRun;
  /** `adopted`: an earlier call had posted it and never learned so. `already running`: nothing was done. */
  readonly outcome: 'submitted' | 'adopted' | 'already running';
  /** False where a Ctrl-C ended the wait for the job's registration; the run goes on. */
  readonly isRegistered: boolean;
}

/**
 * The exact request of a submission; nothing is sent.
 * @throws ConfigError where a secret of ours stands in it, or in a file that goes with it.
 */
export function requestOf(plan: SubmitPlan): SubmissionRequest {
  const request = submissionRequest(plan, plan.cluster);
  const files = Object.fromEntries(plan.work.files.map(({ name, content }) => [name, content]));
  requireNoSecret(plan.secrets, { ...files, request });
  return request;
}

/** The living run of a job, after every run that ended unseen has been written down; waits for what is unclear. */
export async function livingRun(ports: SubmitPorts, options: SubmitOptions): Promise<JobRun | undefined> {
  if (!options.work.single) return undefined;
  for (const run of await ports.book.list({ job: options.work.job, live: true })) {
    const first = await reconcile(ports, run);
    if (first.unclear !== undefined) ports.say(`${run.runId}: ${first.unclear}; waiting to know`);
    const seen = await awaitClear(ports, first.run, options);
    if (isLive(seen.run.state)) {
      if (!seen.situation.isHealthy)
        ports.say(`${run.runId} ${seen.situation.name}: ${seen.situation.sentence}`);
      return seen.run;
    }
    ports.say(`${run.runId} is ${seen.run.state}: ${seen.run.error ?? 'it ended'}`);
  }
  return undefined;
}

/** How long an earlier call may leave it unclear where its run is. */
const unclearMs = 120_000;

/** Waits until it is clear where a run is. @throws UnreachableError where it stays unclear. */
async function awaitClear(ports: SubmitPorts, run: JobRun, options: SubmitOptions): Promise<Waited> {
  const seen = await awaitRun(ports, run, {
    until: (now) => now.unclear === undefined,
    timeoutMs: Math.min(options.registerTimeoutMs, unclearMs),
    signal: options.signal,
  });
  if (seen.unclear === undefined) return seen;
  if (seen.ended === 'interrupted')
    throw new InterruptedError(`Run ${run.runId} may be at Spark: ${seen.unclear}; nothing was posted`, {
      nextStep: 'Submit again: that finds out first.',
    });
  throw await unclearError(ports, seen);
}

/** A POST takes 10 s at most: the call of a run that is PENDING for longer has died. */
const postOverMs = 12_000;

async function awaitPost(ports: SubmitPorts, run: JobRun, signal: AbortSignal): Promise<JobRun> {
  let now = run;
  while (now.state === 'PENDING' && ageOf(now, now.createdAt) < postOverMs && !signal.aborted) {
    await ports.clock.sleep(500, signal);
    now = (await ports.book.find(run.runId)) ?? now;
  }
  return now;
}

/**
 * Of a job that may run many times at once: the run of an earlier call for the very same work that died before it knew
 * whether Spark had it. A run whose call lives becomes SUBMITTED by itself, and is another.
 */
async function orphanOf(ports: SubmitPorts, options: SubmitOptions): Promise<JobRun | undefined> {
  const request = requestOf(options);
  const { templateSha256, jobPath, submittedBy } = openingOf(options, request);
  const pending = (await ports.book.list({ job: options.work.job, live: true })).filter(
    (run) => run.state === 'PENDING' && run.submittedBy === submittedBy && run.request !== undefined,
  );
  for (const run of pending) {
    const isSame = run.templateSha256 === templateSha256 && run.jobPath === jobPath;
    if (!isSame || run.request === undefined || settingChanges(run.request, request).length > 0) continue;
    ports.say(`${run.runId}: an earlier call for the same was not finished; waiting to know`);
    if ((await awaitPost(ports, run, options.signal)).state !== 'PENDING') continue;
    const seen = await awaitClear(ports, run, options);
    if (isLive(seen.run.state)) return seen.run;
    ports.say(`${run.runId} is ${seen.run.state}: ${seen.run.error ?? 'it ended'}`);
  }
  return undefined;
}

async function unclearError(ports: SubmitPorts, { run, unclear }: Waited): Promise<UnreachableError> {
  const room = roomOf(await ports.spark.master());
  return new UnreachableError(`Run ${run.runId} may be at Spark: ${unclear ?? ''} (${room})`, {
    nextStep: 'Nothing was posted again. Give the cluster room, or end that driver, and submit again.',
  });
}

/**
 * Stores each file under its own hash, and reads it back: the name promises a content, and anyone with write access to the store
 * could have replaced it.
 * @throws RefusedError where the store gives back something else than was written.
 */
async function storeFiles(store: FileStore, { files }: Work): Promise<void> {
  for (const file of files) {
    const path = storedPathOf(file);
    if ((await store.sha256(path)) === file.sha256) continue;
    await store.write(path, file.content);
    const found = await store.sha256(path);
    if (found !== file.sha256)
      throw new RefusedError(
        `${path} in HDFS is not what was written there: SHA-256 ${found ?? 'of nothing'}, not ${file.sha256}`,
        { nextStep: 'Nothing was submitted. Find out who else writes below /jobs.', retryable: false },
      );
  }
}

function openingOf(
  { work, runId, submittedBy, replaces }: SubmitPlan,
  request: SubmissionRequest,
): OpeningRun {
  return {
    ...{ runId, request, submittedBy, replaces },
    job: work.job,
    appName: appNameOf(work, runId),
    templateSha256: work.files.find((file) => storedPathOf(file) === work.program.address)?.sha256,
    jobPath: work.program.address,
    parameters: work.parameters,
    supervise: work.supervise,
  };
}

async function requireActiveMaster(ports: SubmitPorts): Promise<void> {
  const { status, url } = await ports.spark.master();
  if (status !== 'ALIVE')
    throw new UnreachableError(`The Spark master ${url} is ${status} and takes no submission`, {
      nextStep: 'Try again when `cryptopipe status` shows it ALIVE.',
    });
}

/**
 * A run is given up when it has not arrived 15 s after it was written down (reconcile.ts), and a POST takes 10 s at most:
 * a call that stood still in between, on a computer that was suspended or without PostgreSQL, must not post what others
 * may have replaced.
 */
const postWithinMs = 4000;

async function requireAtOnce(ports: SubmitPorts, runId: string, openedAt: number): Promise<void> {
  const elapsedMs = ports.clock.now() - openedAt;
  if (elapsedMs <= postWithinMs) return;
  const why = `it was not posted: writing it down took ${Math.round(elapsedMs / 1000)} s (PostgreSQL was away, or this computer was suspended)`;
  await ports.book.setState(runId, 'FAILED', why);
  throw new RefusedError(`Run ${runId} is given up; ${why}`, { nextStep: 'Submit again.' });
}

/** The one POST of a run. What Spark surely refused has ended; after anything else the next call finds out. */
async function post(ports: SubmitPorts, runId: string, request: SubmissionRequest): Promise<string> {
  try {
    return await ports.spark.create(request);
  } catch (error) {
    if (error instanceof RefusedError) {
      await ports.book.setState(runId, 'FAILED', error.message);
      throw error;
    }
    if (!(error instanceof UnreachableError)) throw error;
    throw new UnreachableError(`Nobody knows whether run ${runId} arrived: ${error.message}`, {
      nextStep: 'Submit again: that finds out first, and never posts one run twice.',
      cause: error,
    });
  }
}

/** Everything before the run is written down; may be done long before, and twice. @throws as `requestOf`. */
export async function prepare(ports: SubmitPorts, plan: SubmitPlan): Promise<SubmissionRequest> {
  const request = requestOf(plan);
  await requireActiveMaster(ports);
  await storeFiles(ports.files, plan.work);
  return request;
}

async function openAndPost(
  ports: SubmitPorts,
  options: SubmitOptions,
): Promise<{ readonly run: JobRun; readonly isOurs: boolean }> {
  const { work, runId } = options;
  const request = await prepare(ports, options);
  const openedAt = ports.clock.now();
  const run = await ports.book.open(openingOf(options, request), { single: work.single });
  if (run.runId !== runId) return { run, isOurs: false };
  await requireAtOnce(ports, runId, openedAt);
  const submissionId = await post(ports, runId, request);
  await ports.book.setSubmission(runId, submissionId);
  ports.say(`Spark accepted run ${runId} as ${submissionId}`);
  return { run: { ...run, state: 'SUBMITTED', submissionId }, isOurs: true };
}

function notRegistered({ run, driverState, situation }: Waited): UnreachableError {
  const why = driverState === undefined ? 'its driver is not known yet' : `its driver is ${driverState}`;
  const what = situation.isHealthy ? why : `${situation.name}, ${situation.sentence}`;
  return new UnreachableError(`Run ${run.runId} has not registered itself in time: ${what}`, {
    nextStep: `It goes on. Look with \`cryptopipe logs ${run.runId}\`, or end it with \`cryptopipe stop ${run.runId} --kill\`.`,
  });
}

/**
 * Stores, writes down, posts once, and waits until the job has registered itself (design.md, section 5).
 *
 * Safe to call again after a crash at any step: a run that may have reached Spark is found or given up before another is
 * posted. A job of which one run may live and that runs already is left as it is.
 * @throws JobFailedError with the log's end when the driver ends badly before it has registered.
 */
export async function submit(ports: SubmitPorts, options: SubmitOptions): Promise<Submitted> {
  const living = options.work.single ? await livingRun(ports, options) : await orphanOf(ports, options);
  if (living?.state === 'RUNNING' && options.work.single)
    return { run: living, outcome: 'already running', isRegistered: true };
  const { run, isOurs } =
    living === undefined ? await openAndPost(ports, options) : { run: living, isOurs: false };
  const tell = tellChanges(ports.say, run.runId);
  const seen = await awaitRun(ports, run, {
    until: (now) => {
      tell(now);
      return now.run.state === 'RUNNING' || isCrashLooping(now);
    },
    timeoutMs: options.registerTimeoutMs,
    signal: options.signal,
  });
  const outcome = isOurs ? 'submitted' : 'adopted';
  if (seen.ended === 'interrupted') return { run: seen.run, outcome, isRegistered: false };
  if (seen.ended === 'timed out') throw notRegistered(seen);
  if (isCrashLooping(seen)) throw await crashLoopOf(ports, seen);
  if (seen.run.state === 'RUNNING' || seen.run.state === 'FINISHED')
    return { run: seen.run, outcome, isRegistered: true };
  throw await failureOf(ports, seen.run);
}
