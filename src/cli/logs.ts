import { InvalidArgumentError, Option, type Command } from 'commander';
import { findRun } from '../commands/find-run.js';
import { follow, readFailure, readLogs } from '../commands/logs.js';
import type { LogLine } from '../commands/logs/follow-logs.js';
import type { LogChoice } from '../commands/logs/log-sources.js';
import type { LineCount } from '../commands/logs/log-tail.js';
import { isLive } from '../core/driver-state.js';
import type { JobRun } from '../core/ports/runs.js';
import type { LogStream } from '../core/ports/spark.js';
import type { LogOwner } from '../core/ports/worker-logs.js';
import type { CliContext } from './context.js';
import { printJson } from './print.js';

interface LogsFlags {
  readonly stream: LogStream | 'both';
  readonly of: LogChoice['of'];
  readonly lines: LineCount;
  readonly follow: boolean;
  readonly json: boolean;
}

function lineCount(value: string): LineCount {
  if (value === 'all') return value;
  if (!/^\d{1,7}$/.test(value)) throw new InvalidArgumentError('It is neither a number of lines nor `all`.');
  return Number(value);
}

/** `logs RUN`: what its driver and its executors printed. */
export function addLogs(program: Command, context: CliContext): void {
  program
    .command('logs <run>')
    .description("print what a run's driver or executors printed: of a run id, or of a job's newest run")
    .addOption(
      new Option('--stream <which>', "a driver's stdout holds what Python prints, stderr the log of Spark")
        .choices(['stdout', 'stderr', 'both'])
        .default('both'),
    )
    .addOption(
      new Option('--of <whom>', 'whose output').choices(['driver', 'executors', 'all']).default('driver'),
    )
    .option('--lines <n>', 'how many of the last lines of each to begin with, or `all`', lineCount, 100)
    .option('-f, --follow', 'go on until the run has ended; Ctrl-C ends the following only', false)
    .option('--json', 'print one JSON document; with --follow one object per line', false)
    .addHelpText('after', '\nExample: cryptopipe logs streaming --follow --stream stdout')
    .action(async (text: string, flags: LogsFlags) => {
      const run = await findRun((await context.app({ isPatient: true })).book, text);
      await (flags.follow ? followRun(context, run, flags) : showRun(context, run, flags));
    });
}

const choiceOf = ({ of, stream }: LogsFlags): LogChoice => ({
  of,
  streams: stream === 'both' ? ['stderr', 'stdout'] : [stream],
});

const labelOf = (owner: LogOwner, stream: LogStream): string =>
  owner.kind === 'driver' ? `driver ${stream}` : `executor ${owner.executorId} ${stream}`;

const jsonOf = (owner: LogOwner): object =>
  owner.kind === 'driver'
    ? { of: 'driver', submissionId: owner.submissionId }
    : { of: 'executor', applicationId: owner.applicationId, executorId: owner.executorId };

/** How a run ended, and why where it failed. */
async function sayEnd({ io, app }: CliContext, run: JobRun): Promise<string> {
  const failure = await readFailure(await app(), run);
  io.err(`run ${run.runId} is ${run.state}${run.error === undefined ? '' : `: ${run.error}`}\n`);
  if (failure !== '') io.err(`${failure}\n`);
  return failure;
}

async function showRun(context: CliContext, run: JobRun, flags: LogsFlags): Promise<void> {
  const { io } = context;
  const failure = run.state === 'FAILED' ? await sayEnd(context, run) : '';
  const log = await readLogs(await context.app(), run, { ...choiceOf(flags), begin: flags.lines });
  for (const text of log.missing) io.err(`${text}\n`);
  if (flags.json) {
    const streams = log.streams.map(({ owner, stream, text }) => ({ ...jsonOf(owner), stream, text }));
    const { runId, submissionId, state } = run;
    printJson(io, { runId, submissionId, state, ...(failure === '' ? {} : { failure }), streams });
    return;
  }
  for (const { owner, stream, text } of log.streams) {
    if (log.streams.length > 1) io.err(`==== ${labelOf(owner, stream)}\n`);
    if (text !== '') io.out(`${text}\n`);
  }
}

async function followRun(context: CliContext, run: JobRun, flags: LogsFlags): Promise<void> {
  const { io, signal } = context;
  const choice = choiceOf(flags);
  if (!isLive(run.state)) await sayEnd(context, run);
  const isOne = choice.of === 'driver' && choice.streams.length === 1;
  const print = flags.json
    ? ({ owner, stream, line }: LogLine) => printJson(io, { ...jsonOf(owner), stream, line })
    : linePrinter(io.out, isOne);
  const say = (text: string): void => io.err(`${text}\n`);
  const options = { ...choice, begin: flags.lines, signal, onLine: print, say };
  const followed = await follow(await context.app(), run, options);
  if (followed.ended === 'interrupted') {
    io.err(`no longer following; run ${run.runId} goes on (${followed.run.state})\n`);
    signal.throwIfAborted();
  }
  if (isLive(run.state)) await sayEnd(context, followed.run);
}

/** Each line behind the name of its source, as `docker compose logs` does, unless there is only one. */
function linePrinter(out: (text: string) => void, isOne: boolean): (line: LogLine) => void {
  let width = 'driver stdout'.length;
  return ({ owner, stream, line }) => {
    const label = labelOf(owner, stream);
    width = Math.max(width, label.length);
    out(isOne ? `${line}\n` : `${label.padEnd(width)} | ${line}\n`);
  };
}
