import type { Command } from 'commander';
import { follow } from '../commands/follow.js';
import { workOf } from '../commands/render.js';
import { submit, type Submitted, type SubmitPlan } from '../commands/submit.js';
import { findJob } from '../core/job.js';
import { submissionRequest } from '../core/submission.js';
import type { CliContext } from './context.js';
import { collect, positiveInteger } from './flags.js';
import { printJson } from './print.js';

interface SubmitFlags {
  readonly param: readonly string[];
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly timeout?: number;
  readonly json: boolean;
}

const registerSeconds = 120;
/** Bound of `--wait` where nobody says one: a day. */
const waitSeconds = 86_400;

/** `submit JOB`: renders, stores, posts once, and says what runs. */
export function addSubmit(program: Command, context: CliContext): void {
  program
    .command('submit <job>')
    .description('start a job on Spark; a streaming job that runs already is left as it is')
    .option('-p, --param <name=value>', 'set a parameter of the job; may be repeated', collect, [])
    .option('-n, --dry-run', 'print the exact request, send nothing', false)
    .option('--wait', 'follow the run to its end; exit 0 only where it FINISHED', false)
    .option(
      '--timeout <seconds>',
      `how long to wait for the job to register itself (${registerSeconds}), or with --wait for its end (${waitSeconds})`,
      positiveInteger,
    )
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', '\nExample: cryptopipe submit streaming --dry-run')
    .action((name: string, flags: SubmitFlags) => run(context, name, flags));
}

async function run(context: CliContext, name: string, flags: SubmitFlags): Promise<void> {
  const app = await context.app();
  // What was typed wrongly is told before what is missing on this computer.
  const work = workOf(app.templates, findJob(name, app.jobs), flags.param);
  const plan: SubmitPlan = {
    work,
    runId: app.newRunId(),
    hdfsRoot: app.config.hdfs.root,
    cluster: app.clusterView,
    submittedBy: app.submittedBy,
  };
  if (flags.dryRun) {
    context.io.out(`${JSON.stringify(submissionRequest(plan, plan.cluster), null, 2)}\n`);
    return;
  }
  const { files, book, spark, clock } = app;
  const say = (line: string): void => context.io.err(`${line}\n`);
  const ports = { files, book, spark, clock, say };
  const submitted = await submit(ports, {
    ...plan,
    registerTimeoutMs: (flags.wait ? registerSeconds : (flags.timeout ?? registerSeconds)) * 1000,
    signal: context.signal,
  });
  if (!flags.wait) {
    print(context, submitted, flags.json);
    return;
  }
  context.io.err(`waiting for the end of ${submitted.run.runId}; Ctrl-C leaves it running\n`);
  const timeoutMs = (flags.timeout ?? waitSeconds) * 1000;
  const ended = await follow(ports, submitted.run, { timeoutMs, signal: context.signal });
  print(context, { ...submitted, run: ended }, flags.json);
}

function print(context: CliContext, submitted: Submitted, asJson: boolean): void {
  const { run, outcome, isRegistered } = submitted;
  if (asJson) {
    printJson(context.io, { outcome, isRegistered, ...run });
    return;
  }
  const { out, err } = context.io;
  out(`${outcome}: ${run.job} run ${run.runId} is ${run.state} (${run.submissionId ?? 'no driver yet'})\n`);
  if (run.uiUrl !== undefined) out(`Spark's page of it: ${run.uiUrl}\n`);
  err(`Follow it: cryptopipe logs ${run.runId} · cryptopipe runs · end it: cryptopipe stop ${run.runId}\n`);
}
