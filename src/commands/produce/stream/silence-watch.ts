import type { SymbolFeed, SymbolFeedTools } from './symbol-feed.js';

export interface SilenceTools extends Pick<SymbolFeedTools, 'clock' | 'exchange' | 'signal' | 'isConnected'> {
  /** Called where the exchange has trades that a connection does not bring. */
  readonly onSilent: () => void;
}

/** How often something may be asked: one request of weight 4 in a second, 240 of the 6,000 of a minute. */
const checkMs = 1000;
/** A connection on which nothing came for so long is doubted, ms. */
const silentMs = 1000;
/** So is one symbol on a connection that is not silent, ms. */
const quietMs = 10_000;
/** What the exchange answers and the stream brings a moment later is no gap. */
const graceMs = 500;

/**
 * Asks the exchange for what comes next where the stream has brought nothing for a while. A quiet market and a dead connection
 * look the same from here, and a lost last message shows only at the next one, which may be hours away.
 */
export async function watchSilence(tools: SilenceTools, symbols: readonly SymbolFeed[]): Promise<void> {
  const { clock, isConnected, signal } = tools;
  let patienceMs = silentMs;
  for (;;) {
    await clock.sleep(checkMs, signal);
    if (signal.aborted) return;
    if (!isConnected()) continue;
    const silence = clock.now() - Math.max(...symbols.map(({ seenAt }) => seenAt));
    const doubted = doubtedOf(symbols, clock.now(), silence >= patienceMs);
    if (doubted === undefined) continue;
    const isMissing = await lacksTrades(tools, doubted).catch((): boolean => {
      // One that cannot be asked for is not asked for again before the others.
      doubted.seenAt = clock.now();
      return false;
    });
    // A market that is really quiet is asked less and less often.
    patienceMs = isMissing || silence < silentMs ? silentMs : Math.min(2 * patienceMs, quietMs);
    if (!isMissing) continue;
    doubted.refill('silence');
    if (silence >= silentMs) tools.onSilent();
  }
}

/** The busiest on a silent connection, else the one that was quiet for longest. */
function doubtedOf(symbols: readonly SymbolFeed[], now: number, isSilent: boolean): SymbolFeed | undefined {
  const live = symbols.filter(({ isLive }) => isLive);
  const bySeen = live.sort((left, right) => left.seenAt - right.seenAt);
  if (isSilent) return bySeen.at(-1);
  const quietest = bySeen[0];
  return quietest !== undefined && now - quietest.seenAt >= quietMs ? quietest : undefined;
}

async function lacksTrades({ clock, exchange, signal }: SilenceTools, feed: SymbolFeed): Promise<boolean> {
  const query = { symbol: feed.symbol, limit: 1, fromId: feed.nextId };
  const [first] = await exchange.tradeRows(query, signal);
  feed.answered(first !== undefined);
  if (first === undefined) return false;
  await clock.sleep(graceMs, signal);
  return feed.isLive && feed.nextId <= (first.id ?? feed.nextId);
}
