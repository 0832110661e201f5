import { binanceSpot } from '../../core/trade.js';
import { beginById } from './begin-by-id.js';
import type { Feed, FeedExchanges } from './feed.js';
import { fetchSymbol } from './fetch.js';

export interface PollOptions {
  readonly pollIntervalMs: number;
  /** End when there is nothing more to fetch: then an outage may end it too. */
  readonly untilCaughtUp: boolean;
}

/** A page that was announced and does not come is waited for so long, ms. */
const goalPatienceMs = 60_000;

/** Every trade, asked for by id over REST: again and again while there is more, else once in an interval. */
export function pollFeed({ exchange, patientExchange }: FeedExchanges, options: PollOptions): Feed {
  const { untilCaughtUp, pollIntervalMs } = options;
  return {
    name: 'poll',
    source: binanceSpot,
    ...beginById(exchange),
    run: async (starts, { onFailure, ...tools }) => {
      const pagesAhead = Math.min(8, Math.max(1, Math.floor(32 / starts.length)));
      const patience = untilCaughtUp ? { exchange, endsOnRefusal: true } : { exchange: patientExchange };
      const fetch = { ...tools, ...patience, pollIntervalMs, untilCaughtUp, goalPatienceMs, pagesAhead };
      await Promise.all(starts.map((start) => fetchSymbol(fetch, start).catch(onFailure)));
    },
  };
}
