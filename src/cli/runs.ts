import type { Command } from 'commander';
import { listRuns } from '../commands/runs.js';
import type { CliContext } from './context.js';
import { positiveInteger } from './flags.js';
import { printJson, printTable } from './print.js';

interface RunsFlags {
  readonly job?: string;
  readonly limit: number;
  readonly json: boolean;
}

const shortTime = (time: Date | undefined): string =>
  time === undefined ? '' : `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;

/** `runs`: the newest runs, held against Spark. */
export function addRuns(program: Command, context: CliContext): void {
  program
    .command('runs')
    .description('list the newest runs and how they ended')
    .option('--job <name>', 'only of this job')
    .option('--limit <n>', 'how many', positiveInteger, 20)
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', '\nExample: cryptopipe runs --job streaming')
    .action(async (flags: RunsFlags) => {
      const filter = { limit: flags.limit, ...(flags.job === undefined ? {} : { job: flags.job }) };
      const { runs, unreachable } = await listRuns(await context.app(), filter);
      if (unreachable !== undefined) {
        context.setExitCode(4);
        context.io.err(`${unreachable.message}: shown is what is written down\n`);
      }
      if (flags.json) {
        printJson(context.io, { isReconciled: unreachable === undefined, runs });
        return;
      }
      printTable(
        context.io,
        ['run', 'job', 'state', 'driver', 'created', 'ended', 'error'],
        runs.map((run) => [
          run.runId,
          run.job,
          run.state,
          run.submissionId ?? '',
          shortTime(run.createdAt),
          shortTime(run.endedAt),
          (run.error ?? '').slice(0, 100),
        ]),
      );
    });
}
