import { isLive } from '../core/driver-state.js';
import { RefusedError, UnreachableError } from '../core/errors.js';
import type { Job } from '../core/job.js';
import type { FileStore } from '../core/ports/files.js';
import type { JobRun } from '../core/ports/runs.js';
import type { SubmissionRequest } from '../core/ports/spark.js';
import type { RenderedText, TemplateStore } from '../core/ports/templates.js';
import { appNameOf, jobPathOf, submissionRequest, type ClusterView } from '../core/submission.js';
import { awaitRun, failureOf, roomOf, type Waited } from './await-run.js';
import { reconcile, type ReconcilePorts } from './reconcile.js';
import { renderJob } from './render.js';

export interface SubmitPorts extends ReconcilePorts {
  readonly templates: TemplateStore;
  readonly files: FileStore;
  /** One line for a person on what is done. */
  readonly say: (line: string) => void;
}

/** What a submission is made of. */
export interface SubmitPlan {
  readonly job: Job;
  readonly overrides: readonly string[];
  readonly runId: string;
  /** `hdfs://host:port`, as the cluster sees the file store. */
  readonly hdfsRoot: string;
  readonly cluster: ClusterView;
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

/** The exact request of a submission, and the text it will run; nothing is sent. */
export function planSubmission(
  templates: TemplateStore,
  plan: SubmitPlan,
): { readonly rendered: RenderedText; readonly jobPath: string; readonly request: SubmissionRequest } {
  const rendered = renderJob(templates, plan.job, plan.overrides);
  const jobPath = jobPathOf(plan.job, rendered.sha256);
  const request = submissionRequest(
    { job: plan.job, runId: plan.runId, jobUri: `${plan.hdfsRoot}${jobPath}` },
    plan.cluster,
  );
  return { rendered, jobPath, request };
}

/** The living run of a job, after every run that ended unseen has been written down; waits for what is unclear. */
async function livingRun(ports: SubmitPorts, options: SubmitOptions): Promise<JobRun | undefined> {
  if (!options.job.single) return undefined;
  for (const run of await ports.book.list({ job: options.job.name, live: true })) {
    const first = await reconcile(ports, run);
    if (first.unclear !== undefined) ports.say(`${run.runId}: ${first.unclear}; waiting to know`);
    const { timeoutMs, signal } = { timeoutMs: options.registerTimeoutMs, signal: options.signal };
    const seen = await awaitRun(ports, first.run, {
      until: (now) => now.unclear === undefined,
      timeoutMs,
      signal,
    });
    if (seen.unclear !== undefined) throw await unclearError(ports, seen);
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

/** Stores the text under its own hash; a file of another size is the rest of a write that broke off. */
async function storeText(files: FileStore, path: string, text: string): Promise<void> {
  const content = new TextEncoder().encode(text);
  if ((await files.stat(path))?.sizeBytes !== content.byteLength) await files.write(path, content);
}

async function requireActiveMaster(ports: SubmitPorts): Promise<void> {
  const { status, url } = await ports.spark.master();
  if (status !== 'ALIVE')
    throw new UnreachableError(`The Spark master ${url} is ${status} and takes no submission`, {
      nextStep: 'Try again when `cryptopipe status` shows it ALIVE.',
    });
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

async function openAndPost(
  ports: SubmitPorts,
  options: SubmitOptions,
): Promise<{ readonly run: JobRun; readonly isOurs: boolean }> {
  const { rendered, jobPath, request } = planSubmission(ports.templates, options);
  await requireActiveMaster(ports);
  await storeText(ports.files, jobPath, rendered.text);
  const { job, runId } = options;
  const run = await ports.book.open(
    { runId, job: job.name, templateSha256: rendered.sha256, jobPath, appName: appNameOf(job, runId) },
    { single: job.single },
  );
  if (run.runId !== runId) return { run, isOurs: false };
  const submissionId = await post(ports, runId, request);
  await ports.book.setSubmission(runId, submissionId);
  ports.say(`Spark accepted run ${runId} as ${submissionId}`);
  return { run: { ...run, state: 'SUBMITTED', submissionId }, isOurs: true };
}

async function notRegistered(ports: SubmitPorts, { run, driverState }: Waited): Promise<UnreachableError> {
  const why =
    driverState === 'SUBMITTED'
      ? `no worker has room for its driver (${roomOf(await ports.spark.master())})`
      : `its driver is ${driverState ?? 'not known yet'}`;
  return new UnreachableError(`Run ${run.runId} has not registered itself in time: ${why}`, {
    nextStep: `It goes on. Look with \`cryptopipe logs ${run.runId}\`, or end it with \`cryptopipe stop ${run.runId} --kill\`.`,
  });
}

/**
 * Renders, stores, writes down, posts once, and waits until the job has registered itself (design.md, section 5).
 *
 * Safe to call again after a crash at any step: a run that may have reached Spark is found or given up before another is
 * posted. A streaming job that runs already is left as it is.
 * @throws JobFailedError with the log's end when the driver ends badly before it has registered.
 */
export async function submit(ports: SubmitPorts, options: SubmitOptions): Promise<Submitted> {
  renderJob(ports.templates, options.job, options.overrides);
  const living = await livingRun(ports, options);
  if (living?.state === 'RUNNING') return { run: living, outcome: 'already running', isRegistered: true };
  const { run, isOurs } =
    living === undefined ? await openAndPost(ports, options) : { run: living, isOurs: false };
  const seen = await awaitRun(ports, run, {
    until: (now) => now.run.state === 'RUNNING',
    timeoutMs: options.registerTimeoutMs,
    signal: options.signal,
  });
  const outcome = isOurs ? 'submitted' : 'adopted';
  if (seen.ended === 'interrupted') return { run: seen.run, outcome, isRegistered: false };
  if (seen.ended === 'timed out') throw await notRegistered(ports, seen);
  if (seen.run.state === 'RUNNING' || seen.run.state === 'FINISHED')
    return { run: seen.run, outcome, isRegistered: true };
  throw await failureOf(ports, seen.run);
}
