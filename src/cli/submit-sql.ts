import type { Command } from 'commander';
import { sqlWork } from '../commands/sql-work.js';
import { findJob } from '../core/job.js';
import { stdoutTarget } from '../core/sql-output.js';
import type { CliContext } from './context.js';
import { collect, flagsOf } from './flags.js';
import { printCsv, printTable } from './print.js';
import { printOutcome, submitWork, withRunFlags, type RunFlags } from './submission.js';
import { resourcesOf, withResourceOptions, type ResourceFlags } from './submit-programs.js';

interface SqlFlags extends RunFlags, ResourceFlags {
  readonly param: readonly string[];
  readonly to: string;
  readonly key: readonly string[];
  readonly partitionBy: readonly string[];
  readonly overwrite: boolean;
  readonly conf: readonly string[];
  readonly csv: boolean;
}

/** What the job `sql` leaves in the book of runs of a result that is printed. */
interface PrintedRows {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  /** True where there were more. */
  readonly is_cut: boolean;
}

const columnList = (text: string): string[] => text.split(',').map((column) => column.trim());

const help = `
Views: clean (each trade of the lake once) · clean_messages, raw, rejected (the lake as it is, with dt, hr, batch) ·
every table and view of PostgreSQL's schema crypto, read-only.
A parameter's type is said by a line before the statement, \`-- :day date\` (text, integer, decimal, boolean, date,
time; \`-- :day date = 2026-01-01, the UTC day\` has a default and a meaning), else told by the form of its value.

Examples: cryptopipe submit sql daily.sql -p day=2026-01-01
          cryptopipe submit sql daily.sql -p day=2026-01-01 --to postgres:reports.daily --key day,symbol --wait
          cryptopipe submit sql daily.sql -p day=2026-01-01 --to hdfs:/reports/daily --partition-by day --wait`;

/** `submit sql FILE`: a query over the lake and PostgreSQL. */
export function addSubmitSql(submit: Command, context: CliContext): void {
  withRunFlags(
    withResourceOptions(
      submit
        .command('sql <file>')
        .description('run a file of Spark SQL over the lake and PostgreSQL, and print or store its rows')
        .option('-p, --param <name=value>', 'bind :name of the SQL; may be repeated', collect, [])
        .option(
          '--to <place>',
          'stdout (at most 1,000 rows and 1 MB), postgres:[schema.]table or hdfs:/path',
          stdoutTarget.to,
        )
        .option('--key <columns>', 'postgres: rows with the same key are updated', columnList, [])
        .option(
          '--partition-by <columns>',
          'postgres, hdfs: replace the partitions that there are rows for',
          columnList,
          [],
        )
        .option('--overwrite', 'hdfs: replace the whole folder', false)
        .option('-c, --conf <name=value>', 'a Spark setting; may be repeated', collect, [])
        .option('--csv', 'print the rows as CSV', false),
    ),
  )
    .addHelpText('after', help)
    .action((file: string, _: unknown, command: Command) =>
      run(context, file, flagsOf(command) as SqlFlags, command),
    );
}

async function run(context: CliContext, file: string, flags: SqlFlags, command: Command): Promise<void> {
  const { to, key, partitionBy, overwrite } = flags;
  const isPrinted = to === stdoutTarget.to;
  if (flags.csv && (flags.json || !isPrinted))
    command.error(`error: --csv does not go with ${flags.json ? '--json' : '--to'}`);
  const app = await context.app({ isPatient: true });
  const work = sqlWork(app.templates, findJob('sql', app.jobs), {
    ...{ file, target: { to, key, partitionBy, overwrite }, overrides: flags.param },
    text: app.textFiles.read(file),
    resources: resourcesOf(flags),
    conf: flags.conf,
  });
  const ended = await submitWork(context, work, { ...flags, wait: flags.wait || isPrinted });
  if (ended === undefined) return;
  if (isPrinted && !flags.json) printRows(context, ended.run.result as unknown as PrintedRows, flags.csv);
  else printOutcome(context, ended, flags.json);
}

function printRows({ io }: CliContext, { columns, rows, is_cut }: PrintedRows, asCsv: boolean): void {
  const head = columns.map(({ name }) => name);
  if (asCsv) printCsv(io, head, rows);
  else
    printTable(
      io,
      head,
      rows.map((row) => row.map((value) => (value === null ? '' : textOf(value)))),
    );
  const count = `${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`;
  io.err(
    is_cut
      ? `cut after ${count}: there are more; --to hdfs: or postgres: stores all of them\n`
      : `${count}\n`,
  );
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
