import { rejectedRow } from '../../core/rejected-row.js';
import type { Clock } from '../../core/ports/clock.js';
import type { ProgressCounter } from '../../core/produce-progress.js';
import type { TradeRow } from '../../core/trade-row.js';
import type { TickQueue } from './tick-queue.js';

/** An answer with a row that cannot be read is asked for so often: it may be a fault that passes. */
const asks = 3;
const pauseMs = 1000;

/** Asks again while an answer has rows that cannot be read, as long as `mayAsk` allows another request. */
export async function askReadable(
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  ask: () => Promise<TradeRow[]>,
  mayAsk: () => boolean = () => true,
): Promise<TradeRow[]> {
  let rows = await ask();
  for (let asked = 1; asked < asks && rows.some(({ tick }) => tick === undefined); asked += 1) {
    await clock.sleep(pauseMs, signal);
    if (signal.aborted || !mayAsk()) break;
    rows = await ask();
  }
  return rows;
}

export interface RowTools {
  readonly queue: TickQueue;
  readonly progress: ProgressCounter;
  readonly clock: Clock;
}

/** The rule for every row of every feed: a trade is sent; what cannot be read is stored with its reason, and named. */
export function putRows(
  { queue, progress, clock }: RowTools,
  symbol: string,
  rows: readonly TradeRow[],
): void {
  const rejected = rows.flatMap((row) => (row.tick === undefined ? [rejectedRow(symbol, row)] : []));
  for (const { id, reason } of rejected)
    progress.problems.begin(
      symbol,
      'row',
      `a row cannot be read (id ${id ?? 'unknown'}): ${reason}`,
      clock.now(),
    );
  // Before the trades: a cursor that passes the id is written after them.
  queue.putRejected(rejected);
  queue.put(rows.flatMap(({ tick }) => (tick === undefined ? [] : [tick])));
}
