import type { IdRange } from '../../core/ports/bars.js';
import type { Exchange } from '../../core/ports/exchange.js';
import { idAfter, type TradeRow } from '../../core/trade-row.js';
import type { FilledHole } from './archive-report.js';
import { askReadable, putRows, type RowTools } from './rows.js';

interface HoleTools extends RowTools {
  readonly exchange: Pick<Exchange, 'tradeRows'>;
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
  let unreadable = 0;
  for (let next = hole.firstId; next <= hole.lastId;) {
    const windows = windowsFrom(next, hole.lastId);
    const pages = windows.map((window) => requestWindow(tools, symbol, window));
    for (const [index, window] of windows.entries()) {
      const page = await pages[index];
      if (page === undefined) return undefined;
      putRows(tools, symbol, page.rows);
      const trades = page.rows.filter(({ tick }) => tick !== undefined).length;
      fetched += trades;
      unreadable += page.rows.length - trades;
      for (const range of absentIn(window, page.rows)) addRange(unpublished, range);
      next = Math.max(window.lastId + 1, page.nextId ?? hole.lastId + 1);
    }
    // The exchange's next trade may lie far behind the windows, or behind the hole.
    const last = windows.at(-1)?.lastId ?? hole.lastId;
    const passedOver = { firstId: last + 1, lastId: Math.min(next - 1, hole.lastId) };
    if (passedOver.lastId >= passedOver.firstId) addRange(unpublished, passedOver);
  }
  return { ...hole, fetched, unreadable, unpublished };
}

function windowsFrom(firstId: number, lastId: number): IdRange[] {
  const count = Math.min(pagesAhead, Math.ceil((lastId - firstId + 1) / pageSize));
  return Array.from({ length: count }, (_, index) => {
    const first = firstId + index * pageSize;
    return { firstId: first, lastId: Math.min(lastId, first + pageSize - 1) };
  });
}

interface WindowPage {
  readonly rows: readonly TradeRow[];
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
      count = answer.rows.length;
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
  tools: HoleTools,
  symbol: string,
  { firstId, lastId }: IdRange,
): Promise<WindowPage> {
  const { exchange, signal } = tools;
  const rows: TradeRow[] = [];
  for (let fromId = firstId; fromId <= lastId;) {
    const query = { symbol, limit: lastId - fromId + 1, fromId };
    const answer = await askReadable(tools, () => exchange.tradeRows(query, signal));
    const inside = answer.filter(({ id }) => (id ?? -1) <= lastId);
    rows.push(...inside);
    if (inside.length < answer.length || inside.length === 0)
      return { rows, nextId: answer[inside.length]?.id };
    fromId = idAfter(inside, fromId);
  }
  return { rows, nextId: lastId + 1 };
}

function absentIn({ firstId, lastId }: IdRange, rows: readonly TradeRow[]): IdRange[] {
  const absent: IdRange[] = [];
  let next = firstId;
  for (const row of rows) {
    const id = row.id ?? next;
    if (id > next) absent.push({ firstId: next, lastId: id - 1 });
    next = id + 1;
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
