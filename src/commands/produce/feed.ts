import type { Clock } from '../../core/ports/clock.js';
import type { Exchange, ExchangeSymbol } from '../../core/ports/exchange.js';
import type { Cursor } from '../../core/ports/topic.js';
import type { ProgressCounter } from '../../core/produce-progress.js';
import type { StartPoint } from '../../core/start-point.js';
import type { SymbolStart } from './start.js';
import type { TickQueue } from './tick-queue.js';

/** Where a feed shall begin, and what Kafka has of it and of the others already. */
export interface FeedWish {
  readonly from: StartPoint;
  /** Of all sources and feeds; a feed goes on after its own. Empty where they shall not count. */
  readonly cursors: readonly Cursor[];
}

export interface FeedTools {
  /** Where ticks go: room for them is reserved first, and they are of one symbol and in order of id. */
  readonly queue: TickQueue;
  readonly progress: ProgressCounter;
  readonly clock: Clock;
  /** Aborts at Ctrl-C and after a failure; what was put before is still sent. */
  readonly signal: AbortSignal;
  /** Told of what ends the feed; the signal aborts then. Symbols that still work bring in what they have. */
  readonly onFailure: (error: unknown) => void;
}

/** The exchange, as a feed asks it: `exchange` at its start, `patientExchange` while it runs, which an outage must not end. */
export interface FeedExchanges {
  readonly exchange: Exchange;
  readonly patientExchange: Exchange;
}

/** A way in which ticks come. */
export interface Feed {
  /** Its name in the keys of the cursors. */
  readonly name: string;
  /** Whose ids its ticks carry. */
  readonly source: string;
  /** Asked before anything else, and again while it runs: those of the symbols that the exchange lists. */
  listed(symbols: readonly string[], signal: AbortSignal): Promise<readonly ExchangeSymbol[]>;
  /** Asked once, of the symbols that are listed. @throws UsageError where the feed cannot run as it was asked to. */
  check?(symbols: readonly string[], signal: AbortSignal): Promise<void>;
  /** Where a symbol begins. What else can be wrong is found here, before anything is sent. */
  begin(symbol: string, wish: FeedWish, signal: AbortSignal): Promise<SymbolStart>;
  /** Puts ticks into the queue until all are there or the signal aborts. */
  run(starts: readonly SymbolStart[], tools: FeedTools): Promise<void>;
}

/** The newest cursor of a symbol among the feeds that share its ids: whoever sent more is where the next one goes on. */
export function newestCursor(
  cursors: readonly Cursor[],
  wanted: { readonly source: string; readonly symbol: string; readonly feeds: readonly string[] },
): Cursor | undefined {
  return cursors
    .filter(
      ({ source, symbol, feed }) =>
        source === wanted.source && symbol === wanted.symbol && wanted.feeds.includes(feed),
    )
    .reduce<Cursor | undefined>(
      (newest, cursor) => (newest !== undefined && newest.aggTradeId >= cursor.aggTradeId ? newest : cursor),
      undefined,
    );
}
