import type { Command } from 'commander';
import { listLake, type LakeFolder, type LakeReport } from '../commands/lake.js';
import type { CliContext } from './context.js';
import type { Io } from './io.js';
import { formatSize, printJson, printTable } from './print.js';

interface LakeFlags {
  readonly leaves: boolean;
  readonly json: boolean;
}

const help = `
Example: cryptopipe lake ls clean/dt=2024-08-08 --leaves`;

/** `lake ls`: the lake's folders with rows, files and sizes. */
export function addLake(program: Command, context: CliContext): void {
  program
    .command('lake')
    .description('look into the data lake')
    .command('ls')
    .argument('[path]', 'raw, clean or rejected, or a folder in one; default: all')
    .description('rows, files and sizes by day and hour of arrival, as the Parquet footers say')
    .option('--leaves', 'every batch instead of every hour', false)
    .option('--json', 'one JSON document', false)
    .addHelpText('after', help)
    .action(async (path: string | undefined, flags: LakeFlags) => {
      const app = await context.app({ isPatient: true });
      const { raw, clean, rejected } = app.folders;
      const areas = { raw, clean, rejected };
      const report = await listLake(app.lake, { areas, path, isByLeaf: flags.leaves });
      if (flags.json) printJson(context.io, report);
      else printLake(context.io, report, path);
    });
}

/** What lies in the lake, as a table. */
export function printLake(io: Io, { folders, total }: LakeReport, path: string | undefined): void {
  if (folders.length === 0) {
    io.out(`${path === undefined ? 'the lake' : path} is empty: no Parquet file in it yet\n`);
    return;
  }
  const rows = [...folders, { path: 'total', ...total }].map(toRow);
  printTable(io, ['folder', 'rows', 'files', 'size'], rows);
}

const toRow = ({ path, rows, files, sizeBytes }: LakeFolder): string[] => [
  path,
  String(rows),
  String(files),
  formatSize(sizeBytes),
];
