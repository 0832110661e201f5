import { RefusedError, UnknownSymbolError, type CryptopipeError } from '../../core/errors.js';
import type { Clock } from '../../core/ports/clock.js';
import type { Exchange } from '../../core/ports/exchange.js';
import type { ProgressCounter } from '../../core/produce-progress.js';
import type { Tick } from '../../core/tick.js';
import { idAfter, type TradeRow } from '../../core/trade-row.js';
import { askReadable, putRows } from './rows.js';
import type { SymbolStart } from './start.js';
import type { TickQueue } from './tick-queue.js';

/** The most that the exchange gives in one answer. */
const pageSize = 1000;
/** How often a symbol is asked for that the exchange refuses, ms: it may come back. */
const refusedPauseMs = 60_000;
/** So many empty answers at least say that an announced trade does not come. */
const leastEmpty = 4;
/** The longest pause before a trade is asked for again that was announced and is not there, in poll intervals. */
const longestPause = 8;

export interface FetchTools {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly queue: TickQueue;
  readonly progress: ProgressCounter;
  readonly pollIntervalMs: number;
  readonly untilCaughtUp: boolean;
  /** With `untilCaughtUp`: how long a trade is waited for that was announced, and that the exchange does not give. */
  readonly goalPatienceMs: number;
  /** True where a symbol that is refused ends; else it is asked for again, slowly. */
  readonly endsOnRefusal?: boolean;
  /** How many pages of a symbol may be asked for at once while it is behind. */
  readonly pagesAhead: number;
  readonly signal: AbortSignal;
}

interface Request {
  readonly fromId: number;
  /** Undefined when the queue took nothing more. */
  readonly page: Promise<TradeRow[] | undefined>;
}

/** What is known of a symbol's ids: the next one to send, and the newest that the exchange has announced. */
interface Ids {
  readonly next: number;
  readonly newest: number;
}

/**
 * Puts every trade of a symbol, from the start's id on and in order of id, into the queue. While there is more, pages are asked
 * for ahead, which works because ids have no gaps; when a page is not full, it waits for the poll interval.
 *
 * Ends when the signal aborts, or with `untilCaughtUp` at the first page that is not full and reaches the trade that was the
 * newest at the start; or when that trade does not come although it was waited for: the exchange decides what there is.
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
  let cameAt = clock.now();
  let emptyPages = 0;

  while (!signal.aborted) {
    fillAhead(tools, symbol, ahead, { next, newest });
    const answer = await answerOf(ahead.shift());
    if (answer === undefined) break;
    if ('refusal' in answer) {
      progress.problems.begin(symbol, ...problemOf(answer.refusal), clock.now());
      ahead = dropAhead(queue, ahead);
      if (tools.endsOnRefusal === true) break;
      await clock.sleep(refusedPauseMs, signal);
      continue;
    }
    const { rows } = answer;
    progress.answered(symbol, clock.now());
    progress.problems.end(symbol, 'refused', clock.now());
    putRows(tools, symbol, rows);
    next = idAfter(rows, next);
    newest = Math.max(newest, next - 1);
    if (rows.length > 0) cameAt = clock.now();
    emptyPages = rows.length > 0 ? 0 : emptyPages + 1;

    const isFull = rows.length === pageSize;
    progress.setLive(symbol, !isFull && next > goal);
    // The pages asked for ahead are the next ones only where this page was full and without a gap: one that is not full ends
    // before they begin, one after a gap (ids that begin at a billion, asked for from 0) ends far behind them.
    if (ahead[0] !== undefined && ahead[0].fromId !== next) ahead = dropAhead(queue, ahead);
    if (isFull) {
      if (next > newest && ahead.length === 0) newest = await askNewest(tools, symbol, newest);
      continue;
    }
    // A page that is not full is the exchange's word that it has nothing more.
    newest = next - 1;
    if (!tools.untilCaughtUp) await clock.sleep(tools.pollIntervalMs, signal);
    else if (next > goal) break;
    else if (emptyPages >= leastEmpty && clock.now() - cameAt >= tools.goalPatienceMs) {
      progress.problems.begin(
        symbol,
        'waiting',
        `the exchange announced trade ${goal} and has none after ${next - 1}`,
        clock.now(),
      );
      break;
    } else await clock.sleep(tools.pollIntervalMs * Math.min(longestPause, 2 ** emptyPages), signal);
  }
  if (next > goal) progress.problems.end(symbol, 'waiting', clock.now());
  return next;
}

type Answer = { readonly rows: TradeRow[] } | { readonly refusal: CryptopipeError };

/** Undefined when the queue took nothing more. @throws what is no refusal of this symbol alone. */
async function answerOf(request: Request | undefined): Promise<Answer | undefined> {
  try {
    const rows = await request?.page;
    return rows === undefined ? undefined : { rows };
  } catch (error) {
    if (isRefusal(error)) return { refusal: error };
    throw error;
  }
}

/** True for an error that says something about one symbol, and nothing about the others. */
export const isRefusal = (error: unknown): error is CryptopipeError =>
  error instanceof UnknownSymbolError || error instanceof RefusedError;

/** How a refusal is named. */
export const problemOf = (refusal: CryptopipeError): ['unknown' | 'refused', string] =>
  refusal instanceof UnknownSymbolError
    ? ['unknown', 'the exchange does not list it']
    : ['refused', refusal.message];

function fillAhead(tools: FetchTools, symbol: string, ahead: Request[], ids: Ids): void {
  for (;;) {
    const last = ahead.at(-1);
    const fromId = last === undefined ? ids.next : last.fromId + pageSize;
    if (last !== undefined && (ahead.length >= tools.pagesAhead || fromId > ids.newest)) return;
    ahead.push({ fromId, page: requestPage(tools, symbol, fromId) });
  }
}

function requestPage(tools: FetchTools, symbol: string, fromId: number): Promise<TradeRow[] | undefined> {
  const { exchange, queue, signal } = tools;
  const page = (async () => {
    if (!(await queue.reserve(pageSize))) return undefined;
    let count = 0;
    try {
      const rows = await askReadable(tools, () =>
        exchange.tradeRows({ symbol, limit: pageSize, fromId }, signal),
      );
      count = rows.length;
      return rows;
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
      (rows) => queue.release(rows?.length ?? 0),
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
