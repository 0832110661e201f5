import type { Command } from 'commander';
import { follow } from '../commands/follow.js';
import { workOf } from '../commands/render.js';
import {
  requestOf,
  submit,
  type SubmitOptions,
  type SubmitPlan,
  type SubmitPorts,
} from '../commands/submit.js';
import type { App } from '../compose.js';
import { isLive } from '../core/driver-state.js';
import { findJob, type Job } from '../core/job.js';
import type { JobRun } from '../core/ports/runs.js';
import { stopCommand } from '../core/run-commands.js';
import type { Work } from '../core/submission.js';
import type { CliContext } from './context.js';
import { positiveInteger } from './flags.js';
import { printJson } from './print.js';

/** What can be said of every submission, whatever is submitted. */
export interface RunFlags {
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly timeout?: number;
  readonly json: boolean;
}

/** A submission that is ready to be posted. */
interface Submission {
  readonly ports: SubmitPorts;
  /** When the call began, in ms: its time-out counts from here. */
  readonly startedAt: number;
  readonly options: Omit<SubmitOptions, 'registerTimeoutMs'>;
}

const registerSeconds = 120;
/** Bound of `--wait` where nobody says one: a day. */
const waitSeconds = 86_400;

/** Adds the flags of `RunFlags` to a command. */
export function withRunFlags(command: Command): Command {
  return command
    .option('-n, --dry-run', 'print the exact request, send nothing', false)
    .option('--wait', 'follow the run to its end; exit 0 only where it FINISHED', false)
    .option(
      '--timeout <seconds>',
      `how long to wait until it runs (${registerSeconds}), or with --wait for its end (${waitSeconds})`,
      positiveInteger,
    )
    .option('--json', 'print one JSON document', false);
}

/** How long the whole call may take: until the job has registered itself, or with `--wait` until its end. */
export function registerTimeoutOf({ wait, timeout }: RunFlags): number {
  return (timeout ?? (wait ? waitSeconds : registerSeconds)) * 1000;
}

/** Any work, ready to be submitted. */
function submissionOf(context: CliContext, app: App, work: Work): Submission {
  const { files, book, spark, clock, config, clusterView, submittedBy, secrets } = app;
  return {
    startedAt: clock.now(),
    ports: { files, book, spark, clock, say: (line) => context.io.err(`${line}\n`) },
    options: {
      ...{ work, submittedBy, secrets, signal: context.signal },
      runId: app.newRunId(),
      hdfsRoot: config.hdfs.root,
      cluster: clusterView,
    },
  };
}

/** A job of the catalogue, ready to be submitted. @throws UsageError for what was typed wrongly, before anything else. */
export async function jobSubmission(
  context: CliContext,
  name: string,
  overrides: readonly string[],
): Promise<Submission & { readonly job: Job }> {
  const app = await context.app({ isPatient: true });
  const job = findJob(name, app.jobs);
  return { job, ...submissionOf(context, app, workOf(app.templates, job, overrides)) };
}

/** `--dry-run`: the exact body of the POST. */
export function printRequest({ io }: CliContext, plan: SubmitPlan): void {
  io.out(`${JSON.stringify(requestOf(plan), null, 2)}\n`);
}

/** A run as it is after a submission, and what was done for it. */
export interface Outcome {
  readonly run: JobRun;
  readonly outcome: string;
  readonly isRegistered: boolean;
}

/** What was submitted; with `--wait` after its end, and only where it FINISHED. @throws JobFailedError otherwise. */
async function awaited<T extends Outcome>(
  context: CliContext,
  { ports, startedAt }: Pick<Submission, 'ports' | 'startedAt'>,
  submitted: T,
  flags: RunFlags,
): Promise<T> {
  if (!flags.wait) {
    // Ctrl-C ended the wait until it runs; the run itself goes on.
    if (!submitted.isRegistered && context.signal.aborted) context.setExitCode(130);
    return submitted;
  }
  context.io.err(`waiting for the end of ${submitted.run.runId}; Ctrl-C leaves it running\n`);
  const timeoutMs = Math.max(0, startedAt + registerTimeoutOf(flags) - ports.clock.now());
  try {
    const run = await follow(ports, submitted.run, { timeoutMs, signal: context.signal });
    return { ...submitted, run };
  } catch (error) {
    // A program that reads the result wants the run's end too where it is no success.
    const run = flags.json ? await ports.book.find(submitted.run.runId) : undefined;
    if (run !== undefined) printOutcome(context, { ...submitted, run }, true);
    throw error;
  }
}

/** Prints what was submitted; with `--wait` after its end, and only where it FINISHED. @throws JobFailedError otherwise. */
export async function waitAndPrint(
  context: CliContext,
  submission: Pick<Submission, 'ports' | 'startedAt'>,
  submitted: Outcome,
  flags: RunFlags,
): Promise<void> {
  printOutcome(context, await awaited(context, submission, submitted, flags), flags.json);
}

/** Submits work that is no job of the catalogue; undefined where a dry run has printed the request instead. */
export async function submitWork(
  context: CliContext,
  work: Work,
  flags: RunFlags,
): Promise<Outcome | undefined> {
  const submission = submissionOf(context, await context.app({ isPatient: true }), work);
  const { ports, options } = submission;
  if (flags.dryRun) {
    printRequest(context, options);
    return undefined;
  }
  const submitted = await submit(ports, { ...options, registerTimeoutMs: registerTimeoutOf(flags) });
  return awaited(context, submission, submitted, flags);
}

/** What became of a submission, for a person or as JSON. */
export function printOutcome(
  { io }: CliContext,
  { run, outcome, isRegistered }: Outcome,
  asJson: boolean,
): void {
  if (asJson) {
    printJson(io, { outcome, isRegistered, ...run });
    return;
  }
  io.out(
    `${outcome}: ${run.job} run ${run.runId} is ${run.state} (${run.submissionId ?? 'no driver yet'})\n`,
  );
  if (run.uiUrl !== undefined) io.out(`Spark's page of it: ${run.uiUrl}\n`);
  io.err(
    isLive(run.state)
      ? `Follow it: cryptopipe logs ${run.runId} --follow · cryptopipe runs show ${run.runId} · end it: ${stopCommand(run)}\n`
      : `Its log: cryptopipe logs ${run.runId} · everything about it: cryptopipe runs show ${run.runId}\n`,
  );
}
