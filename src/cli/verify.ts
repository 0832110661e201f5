import { Option, type Command } from 'commander';
import { verify, type VerifyOptions } from '../commands/verify.js';
import { UsageError } from '../core/errors.js';
import { readSymbolList, symbolProblem } from '../core/symbol.js';
import type { ComparedWith } from '../core/ports/reconciliations.js';
import { parseDuration, parseTime } from '../core/time-range.js';
import type { CliContext } from './context.js';
import { printReport } from './print.js';
import { printVerify } from './verify-print.js';

interface VerifyFlags {
  readonly from?: string;
  readonly to?: string;
  readonly last?: string;
  readonly symbols?: string;
  readonly source: string;
  readonly against: ComparedWith;
  readonly dryRun: boolean;
  readonly json: boolean;
}

const help = `
Example: cryptopipe verify --last 15m --symbols BTCUSDT,ETHUSDT
         cryptopipe verify --from 2024-08-08 --to 2024-08-09 --against archive

Every minute gets one verdict, which stands in crypto.reconciliations afterwards:
  equal               all its trade ids are there, and nine of nine fields are the exchange's
  equal (quote cut)   the same; the exchange cuts each fill's quote volume to 8 decimals
  quiet · halt        nothing was traded, and the exchange has a flat bar · has no bar
  edge                nothing proves its beginning or its end (yet)
  exchange late       ours is proven; the exchange's bar is not there yet, or counts fewer trades: within a minute of the
                      minute's end by the exchange's clock, or until the archive's file is two days overdue
  hole                ids are missing in or beside it
  raw gap             its count is not its span of raw trade ids
  disordered          its ids interleave with those of a minute beside it
  unproven            what it says of being final is not what the ids say
  different           a field or a whole bar is not the exchange's
Exits with 0 when all is proven; with 5 when a minute has one of the last five, when an id is missing, and also when there
was nothing to compare: a proof of nothing is no proof. Where --from or --to is left out, whole days without a bar that a
hole explains are named by the hole alone.`;

/** `verify`: holds the bars against their ids and against the exchange. */
export function addVerify(program: Command, context: CliContext): void {
  program
    .command('verify')
    .description("prove the bars: no id missing, no trade miscounted, equal to the exchange's in nine fields")
    .option('--from <time>', 'first minute: ISO (UTC) or epoch ms; default: the first bar')
    .option('--to <time>', 'end, not included: ISO (UTC) or epoch ms; default: after the last bar')
    .option('--last <length>', "the last 15m, 2h, 1d of the exchange's clock")
    .option('--symbols <list>', 'comma list; default: all symbols of the source')
    .option('--source <name>', 'whose trades', 'binance-spot')
    .addOption(
      new Option('--against <bars>', "the exchange's bars by REST, or from its daily files")
        .choices(['rest', 'archive'])
        .default('rest'),
    )
    .option('--exchange <url>', 'address of the exchange; default CRYPTO_API_URL')
    .option('--archive <url>', 'address or folder of the daily files; default CRYPTO_ARCHIVE_URL')
    .option('-n, --dry-run', 'compare and print, save nothing', false)
    .option('--json', 'one JSON document with every minute', false)
    .addHelpText('after', help)
    .action(async (flags: VerifyFlags) => {
      const options = toOptions(flags);
      const app = await context.app({ isPatient: true });
      const { barStore: bars, exchange, klineArchive: archive, reconciliations, clock } = app;
      const stopTelling = app.onExchangeWait(({ reason, ms }) =>
        context.io.err(`the exchange: ${reason}; waiting ${Math.ceil(ms / 1000)} s\n`),
      );
      const ports = { bars, exchange, archive, reconciliations, clock };
      const report = await verify(ports, options, context.signal).finally(stopTelling);
      printReport(context.io, report, { asJson: flags.json, isGood: report.isProven }, printVerify);
      if (!report.isProven) context.setExitCode(5);
    });
}

function toOptions(flags: VerifyFlags): VerifyOptions {
  if (flags.last !== undefined && (flags.from !== undefined || flags.to !== undefined))
    throw new UsageError('--last says the whole range, so --from and --to contradict it', {
      nextStep: 'Give --last alone, or --from and --to.',
    });
  const from = flags.from === undefined ? undefined : parseTime(flags.from);
  const to = flags.to === undefined ? undefined : parseTime(flags.to);
  if (from !== undefined && to !== undefined && from >= to)
    throw new UsageError('--from is not before --to', { nextStep: 'Exchange the two times.' });
  const lastMs = flags.last === undefined ? undefined : parseDuration(flags.last);
  const { source, against, dryRun: isDryRun } = flags;
  return { source, symbols: toSymbols(flags.symbols), from, to, lastMs, against, isDryRun };
}

function toSymbols(list: string | undefined): string[] | undefined {
  if (list === undefined) return undefined;
  const read = readSymbolList(list);
  const problem = symbolProblem(read);
  if (problem === undefined) return [...read.symbols];
  throw new UsageError(`--symbols: ${problem}`, { nextStep: 'Write it like BTCUSDT,ETHUSDT.' });
}
