import { Option, type Command } from 'commander';
import { listRuns, showRun, type RunsReport } from '../commands/runs.js';
import { isLive } from '../core/driver-state.js';
import { UsageError } from '../core/errors.js';
import { runStates, type RunFilter, type RunState } from '../core/ports/runs.js';
import { situations } from '../core/situations.js';
import { parseDuration, parseTime } from '../core/time-range.js';
import type { CliContext } from './context.js';
import { positiveInteger } from './flags.js';
import { printJson, printTable } from './print.js';
import { printRun, printSilence } from './run-print.js';
import { shortTime } from './times.js';

interface RunsFlags {
  readonly job?: string;
  readonly state?: RunState;
  readonly live: boolean;
  readonly since?: string;
  readonly limit: number;
  readonly json: boolean;
}

const wordWidth = Math.max(...Object.keys(situations).map((name) => name.length)) + 2;
const words = Object.entries(situations).map(
  ([name, { meaning, isHealthy }]) => `  ${name.padEnd(wordWidth)}${isHealthy ? ' ' : '!'} ${meaning}`,
);

const help = `
Example: cryptopipe runs --job streaming --since 1d
         cryptopipe runs show streaming

How a run is (! is not well):
${words.join('\n')}

Exits with 5 when a living run is not well, with 4 when Spark does not answer.`;

/** `runs`: the newest runs, held against Spark; `runs show RUN`: everything about one. */
export function addRuns(program: Command, context: CliContext): void {
  const runs = program
    .command('runs')
    .description('list the newest runs, how they are and how they ended')
    .option('--job <name>', 'only of this job')
    .addOption(new Option('--state <state>', 'only in this state').choices(runStates))
    .option('--live', 'only those that have not ended', false)
    .option('--since <time>', 'submitted since then: a length of time (2h, 1d) or a time (ISO, UTC)')
    .option('--limit <n>', 'how many of the newest; those that live are all listed', positiveInteger, 20)
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', help)
    .action((flags: RunsFlags) => list(context, flags));
  addShow(runs, context);
}

function addShow(runs: Command, context: CliContext): void {
  runs
    .command('show <run>')
    .description("everything about one run: a run id, or a job's name for its newest run")
    .option('--json', 'print one JSON document', false)
    .addHelpText(
      'after',
      `
Example: cryptopipe runs show streaming
Exits with 5 when the run is not well, with 4 when Spark does not answer.`,
    )
    // The parent's --json and this one are the same word: whoever of the two took it, it counts.
    .action(async (text: string, _flags: unknown, command: Command) => {
      const details = await showRun(await context.app(), text);
      if (details.unreachable !== undefined) context.setExitCode(4);
      else if (!details.run.situation.isHealthy) context.setExitCode(5);
      if (command.optsWithGlobals<{ json: boolean }>().json) {
        const { run, batches, unreachable } = details;
        printJson(context.io, { isReconciled: unreachable === undefined, ...run, batches });
        return;
      }
      printRun(context.io, details);
    });
}

function filterOf(flags: RunsFlags): RunFilter {
  if (flags.live && flags.state !== undefined && !isLive(flags.state))
    throw new UsageError(`A run that is ${flags.state} has ended, so --live contradicts it`, {
      nextStep: 'Give one of the two.',
    });
  return {
    ...{ job: flags.job, state: flags.state, limit: flags.limit },
    live: flags.live ? true : undefined,
    since: flags.since === undefined ? undefined : sinceOf(flags.since),
  };
}

const sinceOf = (text: string): Date =>
  new Date(/^\d+[smhd]$/.test(text) ? Date.now() - parseDuration(text) : parseTime(text));

async function list(context: CliContext, flags: RunsFlags): Promise<void> {
  const filter = filterOf(flags);
  const report = await listRuns(await context.app(), filter);
  context.setExitCode(exitCodeOf(report));
  const { runs, unreachable } = report;
  if (flags.json) {
    printJson(context.io, { isReconciled: unreachable === undefined, runs });
  } else {
    printTable(
      context.io,
      ['run', 'job', 'state', 'how it is', 'driver', 'created', 'ended', 'restarts'],
      runs.map((run) => [
        ...[run.runId, run.job, run.state, run.situation.name, run.submissionId ?? ''],
        ...[shortTime(run.createdAt), shortTime(run.endedAt), run.restarts === 0 ? '' : String(run.restarts)],
      ]),
    );
  }
  for (const { runId, state, error, situation } of runs) {
    if (isLive(state) && !situation.isHealthy)
      context.io.err(`${runId} ${situation.name}: ${situation.sentence}\n`);
    else if (error !== undefined) context.io.err(`${runId} ${state}: ${error.split('\n', 1)[0] ?? ''}\n`);
  }
  printSilence(context.io, unreachable);
}

/** What has ended is history; only a living run can be not well. */
function exitCodeOf({ runs, unreachable }: RunsReport): 0 | 4 | 5 {
  if (unreachable !== undefined) return 4;
  return runs.some(({ state, situation }) => isLive(state) && !situation.isHealthy) ? 5 : 0;
}
