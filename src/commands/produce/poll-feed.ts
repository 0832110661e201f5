import type { Exchange } from '../../core/ports/exchange.js';
import { beginById } from './begin-by-id.js';
import type { Feed } from './feed.js';
import { fetchSymbol } from './fetch.js';

export interface PollOptions {
  readonly pollIntervalMs: number;
  /** End when there is nothing more to fetch. */
  readonly untilCaughtUp: boolean;
}

/** Every trade, asked for by id over REST: again and again while there is more, else once in an interval. */
export function pollFeed(exchange: Exchange, options: PollOptions): Feed {
  return {
    name: 'poll',
    ...beginById(exchange),
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
