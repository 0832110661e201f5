import type { Exchange } from '../../core/ports/exchange.js';
import type { MarketStream } from '../../core/ports/market-stream.js';
import { beginById } from './begin-by-id.js';
import type { Feed, FeedTools } from './feed.js';
import type { SymbolStart } from './start.js';
import { KeptConnection } from './stream/connection.js';
import { watchSilence } from './stream/silence-watch.js';
import { HeldRoom, SymbolFeed } from './stream/symbol-feed.js';

export interface StreamPorts {
  readonly exchange: Exchange;
  readonly stream: MarketStream;
}

/** Told of what happens to the connection, in words for a person. */
export type StreamNote = (note: string) => void;

/** Ticks that wait behind gaps, of all symbols; about 15 MB. */
const heldAtMost = 50_000;

/**
 * Every trade as the exchange pushes it, each symbol in order of id. What the stream does not bring is fetched by id over REST,
 * before what follows; while there is no connection everything is.
 */
export function streamFeed({ exchange, stream }: StreamPorts, onNote: StreamNote): Feed {
  return {
    name: 'stream',
    ...beginById(exchange),
    run: async (starts, tools) => {
      const room = new HeldRoom(heldAtMost);
      const parts = Math.ceil(starts.length / stream.mostSymbols);
      await Promise.all(
        Array.from({ length: parts }, (_, part) => {
          const some = starts.slice(part * stream.mostSymbols, (part + 1) * stream.mostSymbols);
          return runConnection({ exchange, stream, room, onNote, starts: some }, tools);
        }),
      );
    },
  };
}

interface Part extends StreamPorts {
  readonly room: HeldRoom;
  readonly onNote: StreamNote;
  readonly starts: readonly SymbolStart[];
}

/** The symbols that share a connection, until the signal aborts. */
async function runConnection(
  { exchange, stream, room, onNote, starts }: Part,
  tools: FeedTools,
): Promise<void> {
  const isConnected = (): boolean => connection.isOpen;
  const feeds = new Map(
    starts.map(({ symbol, nextId }) => [
      symbol,
      new SymbolFeed({ ...tools, exchange, isConnected, room }, symbol, nextId),
    ]),
  );
  const all = [...feeds.values()];
  const connection = new KeptConnection({
    ...{ stream, clock: tools.clock, signal: tools.signal },
    symbols: [...feeds.keys()],
    onTick: (tick) => feeds.get(tick.symbol)?.offer(tick),
    onOpen: () => onNote(`stream: ${feeds.size} symbols connected`),
    onDown: (why) => {
      if (!tools.signal.aborted) onNote(`stream: ${why}; connecting again, polling until then`);
      all.forEach((feed) => feed.refill('reconnect'));
    },
    onFailure: ({ message }, ms) =>
      onNote(`${message}; trying again within ${ms / 1000} s, polling until then`),
  });
  all.forEach((feed) => feed.refill('start'));
  await Promise.all([
    connection.run(),
    watchSilence(
      {
        ...tools,
        exchange,
        isConnected,
        onSilent: () => connection.replace('silent while the exchange has trades'),
      },
      all,
    ),
  ]);
  await Promise.all(all.map((feed) => feed.ended()));
}
