import { Option, type Command } from 'commander';
import { init, initParts, type InitPart, type InitReport } from '../commands/init.js';
import type { CliContext } from './context.js';
import { printJson, printTable } from './print.js';

interface InitFlags {
  readonly only?: InitPart;
  readonly dryRun: boolean;
  readonly json: boolean;
}

const help = `
Example: cryptopipe init --dry-run

Makes what is missing and leaves what is there; it may run any number of times, also at the same time.`;

/** `init`: topics, schema and folders. */
export function addInit(program: Command, context: CliContext): void {
  program
    .command('init')
    .description('make the topics, the schema of the warehouse and the folders of the lake')
    .addOption(new Option('--only <part>', 'this part alone').choices(initParts))
    .option('-n, --dry-run', 'say what is missing, make nothing', false)
    .option('--json', 'one JSON document', false)
    .addHelpText('after', help)
    .action(async (flags: InitFlags) => {
      const app = await context.app({ isPatient: true });
      const { topics, schema, files } = app;
      const folders = Object.values(app.folders);
      const { readerPassword } = app.config.postgres;
      const options = { folders, isDryRun: flags.dryRun, only: flags.only, readerPassword };
      const report = await init({ topics, schema, files }, options);
      if (flags.json) printJson(context.io, report);
      else printTable(context.io, ['what', 'name', 'now'], rowsOf(report, flags.only));
    });
}

function rowsOf(report: InitReport, only: InitPart | undefined): string[][] {
  const { isDryRun, topics, migrations, schemaVersion, folders, isReaderLetIn } = report;
  const made = isDryRun ? 'would be made' : 'made';
  const applied = migrations.map((name) => ['migration', name, isDryRun ? 'would be applied' : 'applied']);
  const isSchemaAsked = only === undefined || only === 'tables';
  return [
    ...topics.map((line) => {
      const [name, ...rest] = line.split(': ');
      return ['topic', name ?? '', rest.join(': ')];
    }),
    ...(isSchemaAsked && applied.length === 0 ? [['schema', schemaVersion ?? 'none', 'is there']] : applied),
    ...(isReaderLetIn ? [['role', 'crypto_reader', 'can log in, and only read']] : []),
    ...folders.map(({ path, isNew }) => ['folder', path, isNew ? made : 'is there']),
  ];
}
