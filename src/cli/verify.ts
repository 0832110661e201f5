import type { Command } from 'commander';
import { verify, type SymbolReport, type VerifyReport } from '../commands/verify.js';
import { UsageError } from '../core/errors.js';
import { isGood, type Difference, type MinuteVerdict } from '../core/minute-verdict.js';
import { parseDuration, parseTime } from '../core/time-range.js';
import type { CliContext } from './context.js';
import type { Io } from './io.js';
import { printJson, printTable } from './print.js';

interface VerifyFlags {
  readonly from?: string;
  readonly to?: string;
  readonly last?: string;
  readonly symbols?: string;
  readonly source: string;
  readonly json: boolean;
}

const mostBarsShown = 20;
const mostHolesShown = 20;

const help = `
Example: cryptopipe verify --last 15m --symbols BTCUSDT,ETHUSDT

Three proofs of every final bar, each independent: its trade ids are all covered, its count is its span of raw trade
ids, and all nine fields equal the exchange's bar. Exits with 0 when all is proven; with 5 when something is missing or
different, and also when there was nothing to verify: a proof of nothing is no proof.`;

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
    .option('--exchange <url>', 'address of the exchange; default CRYPTO_API_URL')
    .option('--json', 'one JSON document with every minute', false)
    .addHelpText('after', help)
    .action(async (flags: VerifyFlags) => {
      const options = toOptions(flags);
      const app = await context.app();
      const { barStore: bars, exchange } = app;
      const stopTelling = app.onExchangeWait(({ reason, ms }) =>
        context.io.err(`the exchange: ${reason}; waiting ${Math.ceil(ms / 1000)} s\n`),
      );
      const report = await verify({ bars, exchange }, options, context.signal).finally(stopTelling);
      if (flags.json) printJson(context.io, report);
      else printVerify(context.io, report);
      if (!report.isProven) context.setExitCode(5);
    });
}

function toOptions(flags: VerifyFlags) {
  if (flags.last !== undefined && (flags.from !== undefined || flags.to !== undefined))
    throw new UsageError('--last says the whole range, so --from and --to contradict it', {
      nextStep: 'Give --last alone, or --from and --to.',
    });
  const from = flags.from === undefined ? undefined : parseTime(flags.from);
  const to = flags.to === undefined ? undefined : parseTime(flags.to);
  if (from !== undefined && to !== undefined && from >= to)
    throw new UsageError('--from is not before --to', { nextStep: 'Exchange the two times.' });
  const lastMs = flags.last === undefined ? undefined : parseDuration(flags.last);
  return { source: flags.source, symbols: toSymbols(flags.symbols), from, to, lastMs };
}

function toSymbols(list: string | undefined): string[] | undefined {
  if (list === undefined) return undefined;
  const names = [...new Set(list.split(',').map((name) => name.trim().toUpperCase()))];
  if (names.every((name) => /^[A-Z0-9._-]{1,20}$/.test(name))) return names;
  throw new UsageError(`"${list}" is not a comma list of symbols`, {
    nextStep: 'Write it like BTCUSDT,ETHUSDT.',
  });
}

/** The table of what was compared, what is off, and the verdict. */
export function printVerify(io: Io, report: VerifyReport): void {
  if (report.symbols.length > 0)
    printTable(io, ['symbol', 'bars', 'final', 'compared', ...columns, 'holes'], report.symbols.map(toRow));
  for (const symbol of report.symbols) printProblems(io, symbol);
  io.out(`${verdictOf(report)}\n`);
}

const columns = [
  'equal',
  'equal (quote cut)',
  'quiet',
  'raw gap',
  'different',
  'disordered',
  'unproven',
] as const satisfies readonly MinuteVerdict[];

const toRow = (symbol: SymbolReport): string[] =>
  [
    symbol.symbol,
    symbol.bars,
    symbol.finalBars,
    symbol.compared,
    ...columns.map((verdict) => symbol.verdicts[verdict]),
    symbol.holes.length,
  ].map(String);

function printProblems(io: Io, { symbol, holes, minutes }: SymbolReport): void {
  for (const { firstId, lastId } of holes.slice(0, mostHolesShown))
    io.out(`${symbol}  hole: trades ${firstId} to ${lastId} are missing (${lastId - firstId + 1})\n`);
  printMore(io, symbol, holes.length - mostHolesShown, 'holes');
  const bad = minutes.filter(
    ({ verdict, differences }) => !isGood(verdict) && (verdict !== 'hole' || differences.length > 0),
  );
  const rows = bad
    .slice(0, mostBarsShown)
    .flatMap(({ windowStart, verdict, differences }) =>
      (differences.length > 0 ? differences : [undefined]).map((difference) => [
        symbol,
        new Date(windowStart).toISOString().slice(0, 16),
        verdict,
        ...toCells(difference),
      ]),
    );
  if (rows.length > 0)
    printTable(io, ['symbol', 'minute (UTC)', 'verdict', 'field', 'ours', "exchange's", 'difference'], rows);
  printMore(io, symbol, bad.length - mostBarsShown, 'minutes');
}

function toCells(difference: Difference | undefined): string[] {
  if (difference === undefined) return ['', '', '', ''];
  return [
    difference.field,
    difference.ours ?? 'none',
    difference.theirs ?? 'none',
    difference.difference ?? '',
  ];
}

function printMore(io: Io, symbol: string, count: number, what: string): void {
  if (count > 0) io.out(`${symbol}  and ${count} more ${what}; --json lists all\n`);
}

function verdictOf({ symbols, isProven, source }: VerifyReport): string {
  const compared = symbols.reduce((sum, symbol) => sum + symbol.compared, 0);
  if (isProven)
    return `proven: ${compared} final bars equal the exchange's in nine of nine fields, no id is missing`;
  const empty = symbols.filter((symbol) => symbol.finalBars === 0).map(({ symbol }) => symbol);
  if (symbols.length === 0) return `nothing to verify: there is no symbol of ${source} in the warehouse`;
  if (empty.length > 0) return `nothing to verify for ${empty.join(', ')}: no final bar in this range`;
  return 'not proven: see above';
}
