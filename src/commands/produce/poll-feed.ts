import type { Exchange } from '../../core/ports/exchange.js';
import { binanceSpot } from '../../core/trade.js';
import { newestCursor, type Feed } from './feed.js';
import { fetchSymbol } from './fetch.js';
import { findStart } from './start.js';

/** Feeds that go on for ever over the same ids: each sends every trade, so one goes on where another ended. */
const continuousFeeds = ['poll', 'stream'];

export interface PollOptions {
  readonly pollIntervalMs: number;
  /** End when there is nothing more to fetch. */
  readonly untilCaughtUp: boolean;
}

/** Every trade, asked for by id over REST: again and again while there is more, else once in an interval. */
export function pollFeed(exchange: Exchange, options: PollOptions): Feed {
  return {
    name: 'poll',
    check: async (symbols, signal) => {
      await exchange.symbols(symbols, signal);
    },
    begin: ({ symbols, from, cursors }, signal) =>
      Promise.all(
        symbols.map((symbol) => {
          const cursor = newestCursor(cursors, { source: binanceSpot, symbol, feeds: continuousFeeds });
          return findStart(exchange, symbol, { from, cursor }, signal);
        }),
      ),
    run: async (starts, tools) => {
      const pagesAhead = Math.min(8, Math.max(1, Math.floor(32 / starts.length)));
      await Promise.all(
        starts.map((start) =>
          fetchSymbol({ ...tools, ...options, exchange, pagesAhead }, start).catch(tools.onFailure),
        ),
      );
    },
  };
}
