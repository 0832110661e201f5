import type { Clock } from '../../core/ports/clock.js';
import type { Exchange } from '../../core/ports/exchange.js';
import type { ProgressCounter } from '../../core/produce-progress.js';
import type { Tick } from '../../core/tick.js';
import type { SymbolStart } from './start.js';
import type { TickQueue } from './tick-queue.js';

/** The most that the exchange gives in one answer. */
const pageSize = 1000;

export interface FetchTools {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly queue: TickQueue;
  readonly progress: ProgressCounter;
  readonly pollIntervalMs: number;
  readonly untilCaughtUp: boolean;
  /** How many pages of a symbol may be asked for at once while it is behind. */
  readonly pagesAhead: number;
  readonly signal: AbortSignal;
}

interface Request {
  readonly fromId: number;
  /** Undefined when the queue took nothing more. */
  readonly page: Promise<Tick[] | undefined>;
}

/**
 * Puts every trade of a symbol, from the start's id on and in order of id, into the queue. While there is more, pages are asked
 * for ahead, which works because ids have no gaps; when a page is not full, it waits for the poll interval.
 *
 * Ends when the signal aborts, or with `untilCaughtUp` at the first page that is not full and reaches the trade that was the
 * newest at the start.
 *
 * @returns the id after the last one that is in the queue.
 */
export async function fetchSymbol(
  tools: FetchTools,
  start: Pick<SymbolStart, 'symbol' | 'nextId'> & { readonly newest: Pick<Tick, 'aggTradeId'> | undefined },
): Promise<number> {
  const { clock, progress, queue, signal } = tools;
  const { symbol } = start;
  const goal = start.newest?.aggTradeId ?? -1;
  let newest = goal;
  let next = start.nextId;
  let ahead: Request[] = [];

  while (!signal.aborted) {
    fillAhead(tools, symbol, ahead, { next, newest });
    const request = ahead.shift();
    const page = await request?.page;
    if (page === undefined) break;
    queue.put(page);
    next = (page.at(-1)?.aggTradeId ?? next - 1) + 1;
    newest = Math.max(newest, next - 1);

    const isFull = page.length === pageSize;
    progress.setLive(symbol, !isFull && next > goal);
    // The pages asked for ahead are the next ones only where this page was full and without a gap: one that is not full ends
    // before they begin, one after a gap (ids that begin at a billion, asked for from 0) ends far behind them.
    if (ahead[0] !== undefined && ahead[0].fromId !== next) ahead = dropAhead(queue, ahead);
    if (isFull) {
      if (next > newest && ahead.length === 0) newest = await askNewest(tools, symbol, newest);
    } else {
      if (tools.untilCaughtUp && next > goal) break;
      await clock.sleep(tools.pollIntervalMs, signal);
    }
  }
  return next;
}

function fillAhead(
  tools: FetchTools,
  symbol: string,
  ahead: Request[],
  ids: { readonly next: number; readonly newest: number },
): void {
  for (;;) {
    const last = ahead.at(-1);
    const fromId = last === undefined ? ids.next : last.fromId + pageSize;
    if (last !== undefined && (ahead.length >= tools.pagesAhead || fromId > ids.newest)) return;
    ahead.push({ fromId, page: requestPage(tools, symbol, fromId) });
  }
}

function requestPage(tools: FetchTools, symbol: string, fromId: number): Promise<Tick[] | undefined> {
  const { exchange, queue, signal } = tools;
  const page = (async () => {
    if (!(await queue.reserve(pageSize))) return undefined;
    let count = 0;
    try {
      const ticks = await exchange.trades({ symbol, limit: pageSize, fromId }, signal);
      count = ticks.length;
      return ticks;
    } finally {
      queue.release(pageSize - count);
    }
  })();
  // It may fail while an earlier page is still awaited; whoever awaits this one sees the failure.
  page.catch(() => undefined);
  return page;
}

function dropAhead(queue: TickQueue, ahead: readonly Request[]): Request[] {
  for (const { page } of ahead)
    page.then(
      (ticks) => queue.release(ticks?.length ?? 0),
      () => undefined,
    );
  return [];
}

async function askNewest(tools: FetchTools, symbol: string, known: number): Promise<number> {
  const newest = (await tools.exchange.trades({ symbol, limit: 1 }, tools.signal)).at(-1);
  if (newest === undefined) return known;
  tools.progress.sawNewest(symbol, newest.eventTime);
  return Math.max(known, newest.aggTradeId);
}
