import type { HealProgress, HealReport, SymbolHealing } from '../commands/heal.js';
import type { LeftIds } from '../core/left-ids.js';
import type { IdRange } from '../core/ports/bars.js';
import type { Io } from './io.js';

const mostRangesShown = 50;
const grouped = (value: number): string => value.toLocaleString('en-US');
const counted = (count: number, what: string): string => `${grouped(count)} ${what}${count === 1 ? '' : 's'}`;

/** One line on how far it is. */
export function progressText({ attempt, phase, sent, open }: HealProgress): string {
  const again = attempt === 1 ? '' : `, try ${attempt}`;
  return phase === 'fetching'
    ? `${grouped(sent)} of ${grouped(open)} missing trades are in Kafka${again}`
    : `waiting for the coverage: ${grouped(open)} trades are not counted yet${again}`;
}

/** 0 where nothing is missing that the exchange has by now; a dry run only tells. */
export const exitCodeOf = ({ isWhole, isDryRun }: HealReport): 0 | 5 => (isWhole || isDryRun ? 0 : 5);

/** What was missing of each symbol, what could not be had and why, and the sum of it. */
export function printHealing(io: Io, report: HealReport): void {
  for (const symbol of report.symbols) {
    if (report.isDryRun) printRanges(io, symbol);
    else if (symbol.missingIds > 0)
      io.out(
        `${symbol.symbol}  healed: ${grouped(symbol.healedIds)} of ${counted(symbol.missingIds, 'trade')} in ${counted(symbol.missing.length, 'range')}\n`,
      );
    printSome(io, symbol.symbol, symbol.left, leftText);
  }
  io.out(`${report.isDryRun ? costText(report) : endText(report)}\n`);
}

function printRanges(io: Io, { symbol, missing }: SymbolHealing): void {
  printSome(io, symbol, missing, (range) => `would fetch: ${rangeText(range)}`);
}

function printSome<T extends IdRange>(
  io: Io,
  symbol: string,
  all: readonly T[],
  text: (one: T) => string,
): void {
  for (const one of all.slice(0, mostRangesShown)) io.out(`${symbol}  ${text(one)}\n`);
  const more = all.length - mostRangesShown;
  if (more > 0) io.out(`${symbol}  and ${counted(more, 'more range')}; --json lists all\n`);
}

const rangeText = ({ firstId, lastId }: IdRange): string =>
  `trades ${firstId} to ${lastId} (${grouped(lastId - firstId + 1)})`;

const leftText = (left: LeftIds): string =>
  `${left.why}: ${rangeText(left)}${left.reason === undefined ? '' : `, ${left.reason}`}`;

const missingOf = ({ symbols }: HealReport): number =>
  symbols.reduce((sum, { missingIds }) => sum + missingIds, 0);

function costText(report: HealReport): string {
  const { requests, weight, maxWeight } = report;
  if (missingOf(report) === 0) return 'nothing to fetch: no id is missing that the exchange has by now';
  const runs = Math.ceil(weight / maxWeight);
  return `would fetch ${counted(missingOf(report), 'trade')} with ${counted(requests, 'request')} of weight ${grouped(weight)} together${runs > 1 ? `, which takes ${runs} runs with --max-weight ${maxWeight}` : ''}`;
}

function endText(report: HealReport): string {
  const left = report.symbols.flatMap((symbol) => symbol.left);
  if (report.isWhole)
    return missingOf(report) === 0
      ? 'whole: no id is missing that the exchange has by now'
      : `whole: the coverage is closed, with ${counted(report.requests, 'request')} of weight ${grouped(report.weight)}`;
  return left.some(({ why }) => why === 'later')
    ? 'not whole: see above; call it again for the rest, or with a larger --max-weight'
    : 'not whole: see above';
}
