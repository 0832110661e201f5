import { holdsId, intersectRanges, nextPage, rangesOf, subtractRanges } from '../../core/id-ranges.js';
import { leftOf, type LeftIds } from '../../core/left-ids.js';
import type { IdRange } from '../../core/ports/bars.js';
import { tradePage, type Exchange } from '../../core/ports/exchange.js';
import { idAfter, type TradeRow } from '../../core/trade-row.js';
import type { TickSink } from '../../core/ports/topic.js';
import { rejectedRow, type RejectedRow } from '../../core/rejected-row.js';
import type { Clock } from '../../core/ports/clock.js';
import { askReadable } from '../produce/rows.js';
import type { WeightPurse } from './weight-purse.js';

export interface FetchTools {
  readonly exchange: Pick<Exchange, 'tradeRows'>;
  readonly sink: Pick<TickSink, 'send' | 'sendRejected'>;
  readonly clock: Clock;
  readonly purse: WeightPurse;
  readonly signal: AbortSignal;
  /** How many trades Kafka has just acknowledged. */
  readonly onSent: (trades: number) => void;
}

/**
 * Brings the missing ids of a symbol into Kafka, page by page, so that memory does not grow with a hole. Returns those that
 * could not be brought; all others are acknowledged.
 */
export async function fetchMissing(
  tools: FetchTools,
  symbol: string,
  missing: readonly IdRange[],
): Promise<LeftIds[]> {
  const { exchange, sink, purse, signal, onSent } = tools;
  const left: LeftIds[] = [];
  let next = 0;
  for (;;) {
    signal.throwIfAborted();
    const page = nextPage(missing, next, tradePage.rows);
    if (page === undefined) return left;
    const rest = (): IdRange[] => intersectRanges(missing, [{ firstId: page.firstId, lastId: Infinity }]);
    if (!purse.take()) return [...left, ...leftOf(rest(), 'later')];
    const limit = page.lastId - page.firstId + 1;
    const rows = await askReadable(
      tools,
      () => exchange.tradeRows({ symbol, limit, fromId: page.firstId }, signal),
      () => purse.take(),
    );
    // An empty answer is the exchange's word that there is nothing from here on.
    if (rows.length === 0) return [...left, ...leftOf(rest(), 'not yet')];
    const answered = { firstId: page.firstId, lastId: idAfter(rows, page.firstId) - 1 };
    const open = intersectRanges(missing, [answered]);
    const ticks = rows.flatMap(({ id, tick }) => (tick !== undefined && holdsId(open, id) ? [tick] : []));
    await sink.sendRejected(rejectedIn(open, symbol, rows));
    await sink.send(ticks);
    onSent(ticks.length);
    left.push(...leftInPage(open, rows));
    next = answered.lastId + 1;
  }
}

/** The rows that cannot be read, of the open ids; one whose id cannot be read may be of any. */
const rejectedIn = (open: readonly IdRange[], symbol: string, rows: readonly TradeRow[]): RejectedRow[] =>
  rows.flatMap((row) =>
    row.tick === undefined && (row.id === undefined || holdsId(open, row.id))
      ? [rejectedRow(symbol, row)]
      : [],
  );

/** The open ids of which the answer has no trade: a row that cannot be read, or none at all. */
function leftInPage(open: readonly IdRange[], rows: readonly TradeRow[]): LeftIds[] {
  const unreadable = rows.flatMap(({ id, reason }) =>
    reason !== undefined && id !== undefined && holdsId(open, id)
      ? leftOf([{ firstId: id, lastId: id }], 'refused', reason)
      : [],
  );
  const named = rangesOf(rows.flatMap(({ id }) => (id === undefined ? [] : [id])));
  const absent = subtractRanges(open, named);
  // A row whose very id cannot be read may be any of those that are absent: it is there, so they are not unpublished.
  const nameless = rows.find(({ id }) => id === undefined)?.reason;
  return [
    ...unreadable,
    ...(nameless === undefined
      ? leftOf(absent, 'never published')
      : leftOf(absent, 'refused', `a row in their place cannot be read: ${nameless}`)),
  ];
}
