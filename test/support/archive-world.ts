import { Outages } from '../../src/core/outages.js';
import { produce, type ProduceOptions, type ProduceSummary } from '../../src/commands/produce.js';
import { archiveFeed } from '../../src/commands/produce/archive-feed.js';
import type { ArchiveEvent, ArchiveReport } from '../../src/commands/produce/archive-report.js';
import type { Cursor } from '../../src/core/ports/topic.js';
import type { Tick } from '../../src/core/tick.js';
import { dayText } from '../../src/core/utc-day.js';
import { FakeArchive } from './fake-archive.js';
import { FakeExchange } from './fake-exchange.js';
import { FakeTopic } from './fake-topic.js';
import { aTick } from './ticks.js';
import { VirtualClock } from './virtual-clock.js';

export const august8 = Date.UTC(2024, 7, 8);
export const dayMs = 86_400_000;
const perDay = 24;

/** An exchange with one trade an hour from id 1000 on, two days before the wanted range and one after it. */
export const trade = (id: number, symbol = 'BTCUSDT'): Tick =>
  aTick({ aggTradeId: id, symbol, eventTime: august8 + ((id - 1048) * dayMs) / perDay });
export const trades = (first: number, last: number, symbol?: string): Tick[] =>
  Array.from({ length: last - first + 1 }, (_, index) => trade(first + index, symbol));
export const numbers = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** The ids of August 8, 9 and 10. */
export const [first, last] = [1048, 1119];
export const tape = (): Tick[] => trades(1000, 1143);

export function archiveOf(ticks: readonly Tick[], pageSize = 5): FakeArchive {
  const files: Record<string, Tick[][]> = {};
  for (const tick of ticks) {
    const pages = (files[`${tick.symbol} ${dayText(tick.eventTime)}`] ??= [[]]);
    if (pages.at(-1)!.length === pageSize) pages.push([]);
    pages.at(-1)!.push(tick);
  }
  return new FakeArchive(files);
}

export interface World {
  readonly archive: FakeArchive;
  readonly exchange: FakeExchange;
  readonly topic: FakeTopic;
}

export const worldOf = (parts: Partial<World> = {}): World => ({
  archive: archiveOf(tape()),
  exchange: new FakeExchange({ BTCUSDT: tape() }),
  topic: new FakeTopic(),
  ...parts,
});

interface Outcome {
  readonly summary: ProduceSummary;
  readonly report: ArchiveReport;
  readonly events: ArchiveEvent[];
}

export async function bring(
  { archive, exchange, topic }: World,
  { to = august8 + 2 * dayMs, ...options }: Partial<ProduceOptions & { to: number }> = {},
): Promise<Outcome> {
  const events: ArchiveEvent[] = [];
  const range = { from: august8, to };
  const feed = archiveFeed({ archive, exchange }, { range, onEvent: (event) => events.push(event) });
  const summary = await produce(
    { feed, topics: topic, sink: topic, clock: new VirtualClock(), outages: new Outages() },
    {
      symbols: Object.keys(exchange.tape),
      from: { kind: 'now' },
      ignoreCursor: false,
      progressIntervalMs: 1000,
      identity: { id: 'run', clientId: 'test', host: 'here', pid: 1 },
      giveUpAfterMs: Infinity,
      signal: new AbortController().signal,
      ...options,
    },
    {
      onStart: () => undefined,
      onProgress: () => undefined,
      onGap: () => undefined,
      onProblem: () => undefined,
    },
  );
  return { summary, report: feed.report, events };
}

export const cursorAt = (id: number): Cursor => ({
  source: 'binance-spot',
  symbol: 'BTCUSDT',
  feed: 'archive:2024-08-08..2024-08-10',
  aggTradeId: id,
  eventTime: trade(id).eventTime,
  writtenAt: august8,
});
