import type { Command } from 'commander';
import { prune, type OldDay, type PruneReport } from '../commands/prune.js';
import { parseDuration } from '../core/time-range.js';
import type { CliContext } from './context.js';
import type { Io } from './io.js';
import { formatSize, printJson, printTable } from './print.js';

interface PruneFlags {
  readonly olderThan: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

const help = `
Example: cryptopipe prune --older-than 30d --dry-run

Removes whole UTC days: trades in PostgreSQL by the day of the trade, folders of the lake (raw, clean, rejected) by the day
of arrival. Bars, coverage, conflicts and the book of runs stay, so nothing is counted twice and verify proves as before.
May run twice, and beside a running stream. Not less than 8d: what the topic still has (7 days) may be written again.

What can no longer be done for a pruned day: look at its single trades, build its bars again from trades or lake, and
find that a trade which comes again differs from the one that was counted (it is a repeat then, and changes nothing).`;

/** `prune`: removes old trades and lake folders. */
export function addPrune(program: Command, context: CliContext): void {
  program
    .command('prune')
    .description('remove old trades, lake folders and rejected messages; never bars or coverage')
    .requiredOption('--older-than <length>', 'days that ended longer ago than this: 30d, at least 8d')
    .option('-n, --dry-run', 'say what would go, remove nothing', false)
    .option('--json', 'one JSON document', false)
    .addHelpText('after', help)
    .action(async (flags: PruneFlags) => {
      const olderThanMs = parseDuration(flags.olderThan);
      const app = await context.app({ isPatient: true });
      const { raw, clean, rejected } = app.folders;
      const report = await prune(
        { trades: app.tradeDays, files: app.files, clock: app.clock },
        { olderThanMs, areas: { raw, clean, rejected }, isDryRun: flags.dryRun, signal: context.signal },
      );
      if (flags.json) printJson(context.io, report);
      else printPrune(context.io, report);
    });
}

function printPrune(io: Io, { days, isDryRun, keptFrom, sizeBytes }: PruneReport): void {
  if (days.length === 0) {
    io.out(`nothing is older than ${keptFrom}\n`);
    return;
  }
  printTable(io, ['what', 'day', 'rows', 'files', 'size'], days.map(toRow));
  const verb = isDryRun ? 'would be removed' : 'removed';
  io.out(`${formatSize(sizeBytes)} ${verb}; kept from ${keptFrom} on\n`);
}

const toRow = ({ what, day, rows, files, sizeBytes }: OldDay): string[] => [
  what,
  day,
  String(rows ?? ''),
  String(files ?? ''),
  formatSize(sizeBytes),
];
