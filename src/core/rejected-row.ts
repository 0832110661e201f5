import { binanceSpot } from './trade.js';
import type { UnreadableRow } from './trade-row.js';

/** A row of the exchange that is no trade, on its way to where it is kept: `rejected/` of the lake. */
export interface RejectedRow {
  readonly source: string;
  readonly symbol: string;
  /** Undefined where even that cannot be read. */
  readonly id: number | undefined;
  readonly reason: string;
  readonly raw: string;
}

export const rejectedRow = (symbol: string, { id, reason, raw }: UnreadableRow): RejectedRow => ({
  source: binanceSpot,
  symbol,
  id,
  reason,
  raw,
});

/**
 * The value of its message in the topic of trades: one JSON object. It has none of a trade's amounts, so that no reader can take
 * it for one; the job rejects it with the reason of the field `unreadable` and stores it.
 */
export const rejectedMessage = ({ source, symbol, id, reason, raw }: RejectedRow): string =>
  JSON.stringify({ source, symbol, id, unreadable: reason, raw });
