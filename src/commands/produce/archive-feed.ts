import { UsageError } from '../../core/errors.js';
import type { TradeArchive } from '../../core/ports/archive.js';
import type { Exchange } from '../../core/ports/exchange.js';
import { binanceSpot } from '../../core/trade.js';
import { dayAfter, dayText } from '../../core/utc-day.js';
import { planSymbol, type DayRange, type SymbolPlan } from './archive-plan.js';
import { ArchiveNotes, type ArchiveEvent, type ArchiveReport } from './archive-report.js';
import { ArchivedSymbol } from './archive-symbol.js';
import { newestCursor, type Feed } from './feed.js';

export interface ArchiveFeed extends Feed {
  /** What was found so far. */
  readonly report: ArchiveReport;
}

/** Each has a download under way or a file open. */
const symbolsAtOnce = 4;

/**
 * The trades of past days, from the exchange's daily files; what the files lack, from the exchange by id. Ends when all are
 * sent. The range is part of its name, so each range has cursors of its own and goes on after them.
 */
export function archiveFeed(
  ports: { readonly archive: TradeArchive; readonly exchange: Exchange },
  options: { readonly range: DayRange; readonly onEvent: (event: ArchiveEvent) => void },
): ArchiveFeed {
  const { archive, exchange } = ports;
  const { range } = options;
  const name = `archive:${dayText(range.from)}..${dayText(range.to)}`;
  const notes = new ArchiveNotes(options.onEvent);
  const plans = new Map<string, SymbolPlan>();
  return {
    name,
    source: binanceSpot,
    get report() {
      return notes.report;
    },
    listed: (symbols, signal) => exchange.symbols(symbols, signal),
    check: async (symbols, signal) => {
      const now = await exchange.serverTime(signal);
      if (dayAfter(range.to) > now) await requireFiles(archive, symbols, { day: range.to, now }, signal);
    },
    begin: async (symbol, { cursors }, signal) => {
      const cursor = newestCursor(cursors, { source: binanceSpot, symbol, feeds: [name] });
      const plan = await planSymbol(exchange, symbol, { range, cursor }, signal);
      plans.set(symbol, plan);
      return plan.start;
    },
    run: async (starts, { onFailure, ...tools }) => {
      const left = starts.flatMap(({ symbol }) => plans.get(symbol) ?? []);
      const work = async (): Promise<void> => {
        for (let plan = left.shift(); plan !== undefined; plan = left.shift())
          await new ArchivedSymbol({ ...tools, archive, exchange, notes, from: range.from }, plan)
            .bring()
            .catch(onFailure);
      };
      await Promise.all(Array.from({ length: symbolsAtOnce }, work));
    },
  };
}

/** A day that is not over is brought only as far as an archive has it already; Binance's own publishes whole days. */
async function requireFiles(
  archive: TradeArchive,
  symbols: readonly string[],
  { day, now }: { readonly day: number; readonly now: number },
  signal: AbortSignal,
): Promise<void> {
  for (const symbol of symbols) {
    const file = await archive.openDay(symbol, day, signal);
    await file?.close();
    if (file !== undefined) continue;
    throw new UsageError(
      `${dayText(day)} is not over: the exchange's clock says ${new Date(now).toISOString()}`,
      {
        nextStep: 'Take an earlier day for --to; `produce --feed poll --from` brings the trades of today.',
      },
    );
  }
}
