import type { Tick } from './tick.js';
import { parseAggTrade } from './trade.js';

/** One row of an answer: a trade, or why it is none. `id` is undefined where even that cannot be read. */
export type TradeRow = ReadableRow | UnreadableRow;

interface ReadableRow {
  readonly id: number;
  readonly tick: Tick;
  readonly reason?: never;
}

export interface UnreadableRow {
  readonly id: number | undefined;
  readonly tick?: never;
  readonly reason: string;
  /** The row as it came, JSON or a line of a file; cut where it is too long to be a row. */
  readonly raw: string;
}

/** Characters of a row that are kept; a real one has about 150. */
const mostKept = 4000;

/** Reads a row of Binance's REST protocol. Total. */
export function readTradeRow(symbol: string, raw: unknown): TradeRow {
  const { tick, reason } = parseAggTrade(symbol, raw);
  if (tick !== undefined) return { id: tick.aggTradeId, tick };
  return unreadableRow((raw as { a?: unknown } | null)?.a, reason, JSON.stringify(raw ?? null));
}

/** A row that is no trade; its id where that is one. */
export const unreadableRow = (id: unknown, reason: string, raw: string): UnreadableRow => ({
  id: Number.isSafeInteger(id) && Number(id) >= 0 ? Number(id) : undefined,
  reason,
  raw: raw.slice(0, mostKept),
});

/** The id after the last one that an answer, asked from `fromId`, covers: a row without a readable id stands for the next one. */
export function idAfter(rows: readonly TradeRow[], fromId: number): number {
  let next = fromId;
  for (const { id } of rows) next = (id ?? next) + 1;
  return next;
}
