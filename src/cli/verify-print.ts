import type { VerifyReport } from '../commands/verify.js';
import type { SymbolReport } from '../commands/verify/report.js';
import {
  isGood,
  minuteVerdicts,
  type Difference,
  type JudgedMinute,
  type MinuteVerdict,
} from '../core/minute-verdict.js';
import type { IdRange } from '../core/ports/bars.js';
import type { Io } from './io.js';
import { printTable } from './print.js';

const mostMinutesShown = 20;
const mostHolesShown = 20;
const mostDaysShown = 40;
const mostRangesShown = 3;

/** The summary by symbol and day, what is off, and the verdict on the whole. */
export function printVerify(io: Io, report: VerifyReport): void {
  printDays(io, report.symbols);
  for (const symbol of report.symbols) printProblems(io, symbol);
  io.out(`${conclusionOf(report)}\n`);
}

/** Only the verdicts that were given become columns. */
function printDays(io: Io, symbols: readonly SymbolReport[]): void {
  const given = minuteVerdicts.filter((verdict) => symbols.some(({ verdicts }) => verdicts[verdict] > 0));
  const rows = symbols.flatMap(({ symbol, days }) =>
    days.map(({ day, minutes, compared, verdicts }) =>
      [symbol, day, minutes, compared, ...given.map((verdict) => verdicts[verdict])].map(String),
    ),
  );
  if (rows.length > 0)
    printTable(io, ['symbol', 'day (UTC)', 'minutes', 'compared', ...given], rows.slice(-mostDaysShown));
  if (rows.length > mostDaysShown)
    io.out(`the last ${mostDaysShown} of ${rows.length} days; --json lists all\n`);
}

function printProblems(io: Io, { symbol, holes, minutes }: SymbolReport): void {
  for (const { firstId, lastId } of holes.slice(0, mostHolesShown))
    io.out(`${symbol}  hole: trades ${firstId} to ${lastId} are missing (${lastId - firstId + 1})\n`);
  printMore(io, symbol, holes.length - mostHolesShown, 'holes');
  const bad = minutes.filter(({ verdict }) => !isGood(verdict)).sort(gravestFirst);
  const rows = bad.slice(0, mostMinutesShown).flatMap((minute) => toRows(symbol, minute));
  if (rows.length > 0)
    printTable(io, ['symbol', 'minute (UTC)', 'verdict', 'field', 'ours', "exchange's", 'difference'], rows);
  printMore(io, symbol, bad.length - mostMinutesShown, 'minutes');
}

/** A difference that nothing explains comes before the many minutes that one hole may explain. */
const gravestFirst = (left: JudgedMinute, right: JudgedMinute): number =>
  weightOf(right.verdict) - weightOf(left.verdict) || left.windowStart - right.windowStart;
const weightOf = (verdict: MinuteVerdict): number => minuteVerdicts.indexOf(verdict);

function toRows(symbol: string, { windowStart, verdict, differences, missingIds }: JudgedMinute): string[][] {
  const minute = new Date(windowStart).toISOString().slice(0, 16);
  const missing = missingIds.length === 0 ? [] : [['missing ids', textOf(missingIds), '', '']];
  const cells = [...missing, ...differences.map(toCells)];
  return (cells.length > 0 ? cells : [['', '', '', '']]).map((row) => [symbol, minute, verdict, ...row]);
}

function textOf(ranges: readonly IdRange[]): string {
  const shown = ranges
    .slice(0, mostRangesShown)
    .map(({ firstId, lastId }) => (firstId === lastId ? `${firstId}` : `${firstId}–${lastId}`));
  return `${shown.join(', ')}${ranges.length > mostRangesShown ? ' …' : ''}`;
}

const toCells = ({ field, ours, theirs, difference }: Difference): string[] => [
  field,
  ours ?? 'none',
  theirs ?? 'none',
  difference ?? '',
];

function printMore(io: Io, symbol: string, count: number, what: string): void {
  if (count > 0) io.out(`${symbol}  and ${count} more ${what}; --json lists all\n`);
}

function conclusionOf({ symbols, isProven, source }: VerifyReport): string {
  const compared = symbols.reduce((sum, symbol) => sum + symbol.compared, 0);
  if (isProven)
    return `proven: ${compared} final bars equal the exchange's in nine of nine fields, no id is missing`;
  const empty = symbols.filter((symbol) => symbol.finalBars === 0).map(({ symbol }) => symbol);
  if (symbols.length === 0) return `nothing to verify: there is no symbol of ${source} in the warehouse`;
  if (empty.length > 0) return `nothing to verify for ${empty.join(', ')}: no final bar in this range`;
  const late = symbols.filter((symbol) => symbol.compared === 0).map(({ symbol }) => symbol);
  if (late.length > 0) return `not proven: nothing of ${late.join(', ')} could be compared`;
  return 'not proven: see above';
}
