import type { ArchiveChoice } from '../../core/ports/sandbox.js';
import { klineFields, symbolTape, type Market, type TimeScale } from '../answers.js';
import { oneMinute } from '../intervals.js';
import { printedAmounts, type SymbolTape, type TapeTrade } from '../tapes/tape.js';
import { fileHoles } from './archive-holes.js';
import type { ArchivePath } from './archive-path.js';

export const DAY_MS = 24 * 3_600_000;
const MINUTES_A_DAY = 1_440;
const ROWS_AT_ONCE = 2_000;
/** Files of days from here on count in µs. */
const MICROSECONDS_FROM = Date.UTC(2025, 0, 1);

const flag = (value: boolean): string => (value ? 'True' : 'False');

/** A trade as a line of the archive: flags with a capital, no header anywhere. */
export function archiveLine(row: TapeTrade, scale: TimeScale): string {
  const { price, quantity } = printedAmounts(row);
  return `${row.id},${price},${quantity},${row.firstTradeId},${row.lastTradeId},${row.time * scale},${flag(row.buyerIsMaker)},${flag(row.isBestMatch)}\n`;
}

/** The lines of a file, some thousands at a time; what happened at `until` (epoch ms) or later is not in it. */
export function archiveLines(
  path: ArchivePath,
  market: Market,
  { until, holesPerDay }: { readonly until: number; readonly holesPerDay: number },
): Iterable<string> {
  const scale = path.day >= MICROSECONDS_FROM ? 1000 : 1;
  if (path.type === '1m') return klineLines(path, market, { until, scale });
  const tape = symbolTape(market, path.symbol);
  return tradeLines(tape, path, { until, scale, holesPerDay });
}

function* klineLines(
  { symbol, day }: ArchivePath,
  market: Market,
  { until, scale }: { readonly until: number; readonly scale: TimeScale },
): Generator<string> {
  const rows = market.klines.get(symbol)?.select({
    ...{ interval: oneMinute, start: day, end: until - 1, limit: MINUTES_A_DAY, now: until },
  });
  for (const row of rows ?? []) if (row.end <= until) yield `${klineFields(row, scale).join(',')}\n`;
}

function* tradeLines(
  tape: SymbolTape,
  { name, day }: ArchivePath,
  options: { readonly until: number; readonly scale: TimeScale } & Pick<ArchiveChoice, 'holesPerDay'>,
): Generator<string> {
  const rows = { from: tape.positionAt(day), end: tape.positionAt(options.until) };
  let from = rows.from;
  for (const hole of [...fileHoles(name, rows, options.holesPerDay), { from: rows.end, end: rows.end }]) {
    for (; from < hole.from; from += ROWS_AT_ONCE) {
      const trades = tape.trades(from, Math.min(hole.from, from + ROWS_AT_ONCE));
      yield trades.map((row) => archiveLine(row, options.scale)).join('');
    }
    from = hole.end;
  }
}
