import type { Clock } from '../../core/ports/clock.js';
import type { ExchangeSymbol } from '../../core/ports/exchange.js';
import type { ProgressCounter } from '../../core/produce-progress.js';
import type { SymbolProblems } from '../../core/symbol-problems.js';
import type { Feed } from './feed.js';

/** How often the exchange is asked for the statuses, ms; all symbols of the exchange are a long answer. */
const intervalMs = 15_000;
const longIntervalMs = 60_000;
const many = 100;

/** Names the symbols that the exchange stops to list or to trade, and those that it trades again, until the signal aborts. */
export async function watchSymbols(
  {
    clock,
    progress,
    feed,
  }: { readonly clock: Clock; readonly progress: ProgressCounter; readonly feed: Feed },
  symbols: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const pauseMs = symbols.length > many ? longIntervalMs : intervalMs;
  for (;;) {
    await clock.sleep(pauseMs, signal);
    if (signal.aborted) return;
    // An outage is reported by the feed; the statuses are asked for again after the next pause.
    const listed = await feed.listed(symbols, signal).catch(() => undefined);
    if (listed !== undefined) nameStatuses(progress.problems, { symbols, listed }, clock.now());
  }
}

/** Makes problems of what the exchange says of the symbols. */
export function nameStatuses(
  problems: SymbolProblems,
  { symbols, listed }: { readonly symbols: readonly string[]; readonly listed: readonly ExchangeSymbol[] },
  now: number,
): void {
  const statuses = new Map(listed.map(({ symbol, status }) => [symbol, status]));
  for (const symbol of symbols) {
    const status = statuses.get(symbol);
    if (status === undefined) problems.begin(symbol, 'unknown', 'the exchange does not list it', now);
    else problems.end(symbol, 'unknown', now);
    if (status === undefined || status === 'TRADING') problems.end(symbol, 'halted', now);
    else problems.begin(symbol, 'halted', `the exchange does not trade it: its status is ${status}`, now);
  }
}
