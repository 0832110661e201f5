import type { Exchange } from '../../core/ports/exchange.js';
import type { Cursor } from '../../core/ports/topic.js';
import type { Tick } from '../../core/tick.js';
import { dayAfter, dayOf, daysFrom } from '../../core/utc-day.js';
import { requireSameHistory, type SymbolStart } from './start.js';

/** UTC days, both included, as epoch ms of their beginnings. */
export interface DayRange {
  readonly from: number;
  readonly to: number;
}

/** What is to be brought of one symbol: every id from the start's on to the last one. */
export interface SymbolPlan {
  readonly start: SymbolStart;
  readonly lastId: number;
  /** The exchange's first trade of them; undefined where nothing is left to bring. */
  readonly first: Tick | undefined;
  /** The days whose files are opened. */
  readonly days: readonly number[];
}

/**
 * Asks the exchange which ids lie in the days, so that a file without its beginning or its end is noticed too, and days before
 * the first trade or the cursor are passed over.
 */
export async function planSymbol(
  exchange: Pick<Exchange, 'trades'>,
  symbol: string,
  { range, cursor }: { readonly range: DayRange; readonly cursor: Cursor | undefined },
  signal: AbortSignal,
): Promise<SymbolPlan> {
  if (cursor !== undefined) await requireSameHistory(exchange, cursor, signal);
  const { lastId, newest } = await endOf(exchange, symbol, dayAfter(range.to), signal);
  const query = cursor === undefined ? { startTime: range.from } : { fromId: cursor.aggTradeId + 1 };
  const [next] = await exchange.trades({ symbol, limit: 1, ...query }, signal);
  const first = next !== undefined && next.aggTradeId <= lastId ? next : undefined;
  const nextId = cursor === undefined ? (first?.aggTradeId ?? lastId + 1) : cursor.aggTradeId + 1;
  const reason = cursor === undefined ? 'time' : 'cursor';
  const lastDay = newest === undefined ? range.to : dayOf(newest.eventTime);
  const days = first === undefined ? [] : daysFrom(dayOf(first.eventTime), lastDay);
  return { start: { symbol, nextId, newest, reason, cursor }, lastId, first, days };
}

interface End {
  readonly lastId: number;
  /** The trade of the last id; undefined where it was never published. */
  readonly newest: Tick | undefined;
}

/** The last id before a time; -1 where there is none. */
async function endOf(
  exchange: Pick<Exchange, 'trades'>,
  symbol: string,
  end: number,
  signal: AbortSignal,
): Promise<End> {
  const [after] = await exchange.trades({ symbol, limit: 1, startTime: end }, signal);
  if (after === undefined) {
    const newest = (await exchange.trades({ symbol, limit: 1 }, signal)).at(-1);
    return { lastId: newest?.aggTradeId ?? -1, newest };
  }
  const lastId = after.aggTradeId - 1;
  if (lastId < 0) return { lastId, newest: undefined };
  const [last] = await exchange.trades({ symbol, limit: 1, fromId: lastId }, signal);
  return { lastId, newest: last?.aggTradeId === lastId ? last : undefined };
}
