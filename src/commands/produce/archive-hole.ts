import type { IdRange } from '../../core/ports/bars.js';
import type { Exchange } from '../../core/ports/exchange.js';
import type { Tick } from '../../core/tick.js';
import type { FilledHole } from './archive-report.js';
import type { TickQueue } from './tick-queue.js';

interface HoleTools {
  readonly exchange: Pick<Exchange, 'trades'>;
  readonly queue: TickQueue;
  readonly signal: AbortSignal;
}

/** The most that the exchange gives in one answer. */
const pageSize = 1000;
const pagesAhead = 4;
/** Named of one hole; all are counted. */
const mostListed = 100;

/**
 * Fetches a range of ids from the exchange into the queue, in order of id. What the exchange passes over was never published.
 * Undefined where the queue takes nothing more.
 */
export async function fillHole(
  tools: HoleTools,
  symbol: string,
  hole: IdRange,
): Promise<FilledHole | undefined> {
  const unpublished: IdRange[] = [];
  let fetched = 0;
  for (let next = hole.firstId; next <= hole.lastId;) {
    const windows = windowsFrom(next, hole.lastId);
    const pages = windows.map((window) => requestWindow(tools, symbol, window));
    for (const [index, window] of windows.entries()) {
      const page = await pages[index];
      if (page === undefined) return undefined;
      tools.queue.put(page.ticks);
      fetched += page.ticks.length;
      for (const range of absentIn(window, page.ticks)) addRange(unpublished, range);
      next = Math.max(window.lastId + 1, page.nextId ?? hole.lastId + 1);
    }
    // The exchange's next trade may lie far behind the windows, or behind the hole.
    const last = windows.at(-1)?.lastId ?? hole.lastId;
    const passedOver = { firstId: last + 1, lastId: Math.min(next - 1, hole.lastId) };
    if (passedOver.lastId >= passedOver.firstId) addRange(unpublished, passedOver);
  }
  return { ...hole, fetched, unpublished };
}

function windowsFrom(firstId: number, lastId: number): IdRange[] {
  const count = Math.min(pagesAhead, Math.ceil((lastId - firstId + 1) / pageSize));
  return Array.from({ length: count }, (_, index) => {
    const first = firstId + index * pageSize;
    return { firstId: first, lastId: Math.min(lastId, first + pageSize - 1) };
  });
}

interface WindowPage {
  readonly ticks: readonly Tick[];
  /** The next id that the exchange may have after the window; undefined where it has nothing more. */
  readonly nextId: number | undefined;
}

function requestWindow(tools: HoleTools, symbol: string, window: IdRange): Promise<WindowPage | undefined> {
  const room = window.lastId - window.firstId + 1;
  const page = (async () => {
    if (!(await tools.queue.reserve(room))) return undefined;
    let count = 0;
    try {
      const answer = await askWindow(tools, symbol, window);
      count = answer.ticks.length;
      return answer;
    } finally {
      tools.queue.release(room - count);
    }
  })();
  // It may fail while an earlier page is still awaited; whoever awaits this one sees the failure.
  page.catch(() => undefined);
  return page;
}

/** Asks until an answer is empty or reaches beyond the window: one that is only short proves nothing of the ids after it. */
async function askWindow(
  { exchange, signal }: HoleTools,
  symbol: string,
  { firstId, lastId }: IdRange,
): Promise<WindowPage> {
  const ticks: Tick[] = [];
  for (let fromId = firstId; fromId <= lastId;) {
    const answer = await exchange.trades({ symbol, limit: lastId - fromId + 1, fromId }, signal);
    const inside = answer.filter(({ aggTradeId }) => aggTradeId <= lastId);
    ticks.push(...inside);
    const newest = inside.at(-1)?.aggTradeId;
    if (inside.length < answer.length || newest === undefined)
      return { ticks, nextId: answer[inside.length]?.aggTradeId };
    fromId = newest + 1;
  }
  return { ticks, nextId: lastId + 1 };
}

function absentIn({ firstId, lastId }: IdRange, ticks: readonly Tick[]): IdRange[] {
  const absent: IdRange[] = [];
  let next = firstId;
  for (const { aggTradeId } of ticks) {
    if (aggTradeId > next) absent.push({ firstId: next, lastId: aggTradeId - 1 });
    next = aggTradeId + 1;
  }
  if (next <= lastId) absent.push({ firstId: next, lastId });
  return absent;
}

/** Joins a range to the one before where they touch. */
function addRange(ranges: IdRange[], range: IdRange): void {
  const last = ranges.at(-1);
  if (last?.lastId === range.firstId - 1) ranges[ranges.length - 1] = { ...last, lastId: range.lastId };
  else if (ranges.length < mostListed) ranges.push(range);
}
