import type { Outages } from '../../core/outages.js';
import type { MarketStream } from '../../core/ports/market-stream.js';
import { binanceSpot } from '../../core/trade.js';
import { beginById } from './begin-by-id.js';
import type { Feed, FeedExchanges, FeedTools } from './feed.js';
import type { SymbolStart } from './start.js';
import { KeptConnection } from './stream/connection.js';
import { watchSilence } from './stream/silence-watch.js';
import { HeldRoom, SymbolFeed } from './stream/symbol-feed.js';

export interface StreamPorts extends FeedExchanges {
  readonly stream: MarketStream;
  readonly outages: Outages;
}

/** Told of what happens to the connection, in words for a person. */
export type StreamNote = (note: string) => void;

/** Ticks that wait behind gaps, of all symbols; about 15 MB. */
const heldAtMost = 50_000;

/**
 * Every trade as the exchange pushes it, each symbol in order of id. What the stream does not bring is fetched by id over REST,
 * before what follows; while there is no connection everything is.
 */
export function streamFeed(ports: StreamPorts, onNote: StreamNote): Feed {
  const { exchange, patientExchange, stream, outages } = ports;
  return {
    name: 'stream',
    source: binanceSpot,
    ...beginById(exchange),
    run: async (starts, tools) => {
      const room = new HeldRoom(heldAtMost);
      const parts = Math.ceil(starts.length / stream.mostSymbols);
      await Promise.all(
        Array.from({ length: parts }, (_, part) => {
          const some = starts.slice(part * stream.mostSymbols, (part + 1) * stream.mostSymbols);
          const system = parts === 1 ? 'exchange stream' : `exchange stream ${part + 1}`;
          return runConnection(
            { exchange, patientExchange, stream, outages, system, room, onNote, starts: some },
            tools,
          );
        }),
      );
    },
  };
}

interface Part extends StreamPorts {
  readonly room: HeldRoom;
  readonly onNote: StreamNote;
  /** The name under which an outage of the connection is reported. */
  readonly system: string;
  readonly starts: readonly SymbolStart[];
}

/** The symbols that share a connection, until the signal aborts. */
async function runConnection(
  { exchange, patientExchange, stream, outages, system, room, onNote, starts }: Part,
  tools: FeedTools,
): Promise<void> {
  const isConnected = (): boolean => connection.isOpen;
  const feeds = new Map(
    starts.map(({ symbol, nextId }) => [
      symbol,
      new SymbolFeed({ ...tools, exchange: patientExchange, isConnected, room }, symbol, nextId),
    ]),
  );
  const all = [...feeds.values()];
  const connection = new KeptConnection({
    ...{ stream, clock: tools.clock, signal: tools.signal },
    symbols: [...feeds.keys()],
    onTick: (tick) => feeds.get(tick.symbol)?.offer(tick),
    onOpen: () => {
      outages.answered(system, tools.clock.now());
      onNote(`stream: ${feeds.size} symbols connected`);
    },
    onDown: (why) => {
      if (!tools.signal.aborted) onNote(`stream: ${why}; connecting again, polling until then`);
      all.forEach((feed) => feed.refill('reconnect'));
    },
    onFailure: ({ message }) =>
      outages.failed(system, `${message}; trades are asked for over REST meanwhile`, tools.clock.now()),
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
