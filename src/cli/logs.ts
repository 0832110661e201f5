import { Option, type Command } from 'commander';
import { readLogs } from '../commands/logs.js';
import type { LogStream } from '../core/ports/spark.js';
import type { CliContext } from './context.js';
import { positiveInteger } from './flags.js';
import { printJson } from './print.js';

interface LogsFlags {
  readonly stream: LogStream | 'both';
  readonly lines: number;
  readonly json: boolean;
}

/** `logs RUN`: what the driver printed. */
export function addLogs(program: Command, context: CliContext): void {
  program
    .command('logs <run>')
    .description("print the driver's output: of a run id, or of a job's newest run")
    .addOption(
      new Option('--stream <which>', 'stdout holds what Python prints, stderr the log of Spark')
        .choices(['stdout', 'stderr', 'both'])
        .default('both'),
    )
    .option('--lines <n>', 'how many of the last lines of each', positiveInteger, 100)
    .option('--json', 'print one JSON document', false)
    .addHelpText('after', '\nExample: cryptopipe logs streaming --stream stdout')
    .action(async (run: string, flags: LogsFlags) => {
      const { book, spark } = await context.app();
      const streams: LogStream[] = flags.stream === 'both' ? ['stderr', 'stdout'] : [flags.stream];
      const log = await readLogs({ book, spark }, { run, streams, lines: flags.lines });
      if (flags.json) {
        printJson(context.io, log);
        return;
      }
      for (const { stream, text } of log.streams) {
        if (log.streams.length > 1) context.io.err(`==== ${stream} of ${log.submissionId}\n`);
        if (text !== '') context.io.out(`${text}\n`);
      }
    });
}
