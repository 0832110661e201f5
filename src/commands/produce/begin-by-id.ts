import type { Exchange } from '../../core/ports/exchange.js';
import { binanceSpot } from '../../core/trade.js';
import { newestCursor, type Feed } from './feed.js';
import { findStart } from './start.js';

/** Feeds that go on for ever over the same ids: each sends every trade, so one goes on where another ended. */
const continuousFeeds = ['poll', 'stream'];

/** How a feed begins whose symbols go on after their last acknowledged trade. */
export const beginById = (exchange: Exchange): Pick<Feed, 'listed' | 'begin'> => ({
  listed: (symbols, signal) => exchange.symbols(symbols, signal),
  begin: (symbol, { from, cursors }, signal) => {
    const cursor = newestCursor(cursors, { source: binanceSpot, symbol, feeds: continuousFeeds });
    return findStart(exchange, symbol, { from, cursor }, signal);
  },
});
