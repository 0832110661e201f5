import type { ProcessReport } from './ports/stack.js';
import type { Cursor, Produced } from './ports/topic.js';
import {
  heartbeatLimitMs,
  heartbeatRetentionMs,
  type ProducedSymbol,
  type ProducerHeartbeat,
} from './producer-heartbeat.js';
import { shortDuration, type Finding } from './report.js';
import { restartsText } from './restarts.js';

/** So long the exchange may give no answer to a producer before its feed counts as hung, ms. */
const answerLimitMs = 180_000;
/** The symbols of a stream that have no trades are asked for in turn, one a second. */
const answerLimitPerSymbolMs = 2000;
const mostNamed = 5;

/** A background process of cryptopipe's own, as far as `status` looks at it. */
export type BackgroundState = Pick<ProcessReport, 'name' | 'state' | 'restarts'>;

/**
 * Whether somebody still produces, or has ended as it should, by the newest heartbeat of each symbol; whether what runs gets its
 * answers; and by the processes that were started to produce.
 */
export function findProducers(
  { cursors, producers }: Produced,
  background: readonly BackgroundState[],
  { now, pollIntervalMs }: { readonly now: number; readonly pollIntervalMs: number },
): Finding {
  const owners = ownersOf(
    producers.filter((one) => isContinuous(one) && now - one.writtenAt <= heartbeatRetentionMs),
  );
  const givenUp = givenUpAt(cursors);
  const isWanted = ({ source, startedAt }: ProducerHeartbeat, symbol: string): boolean =>
    (givenUp.get(keyOf(source, symbol)) ?? -1) < startedAt;
  const current = [...new Set(owners.values())]
    .map((producer) => ({
      ...producer,
      symbols: producer.symbols.filter(
        ({ symbol }) => owners.get(keyOf(producer.source, symbol)) === producer && isWanted(producer, symbol),
      ),
    }))
    .filter(({ symbols }) => symbols.length > 0);
  const running = current.filter(({ endedBy }) => endedBy === undefined);
  const isDead = ({ writtenAt }: ProducerHeartbeat): boolean => now - writtenAt > heartbeatLimitMs;
  const processes = background.filter(({ name }) => name.startsWith('produce'));
  const died = processes.filter(({ state }) => state === 'died');
  const waiting = processes.filter(({ state }) => state === 'unhealthy');
  const restarted = processes.filter(({ state, restarts }) => state === 'running' && restarts !== undefined);
  const isExplained = died.length + waiting.length > 0;
  const alive = running.filter((producer) => !isDead(producer));
  const feeds = newestFeeds(cursors).map((cursor) => ({
    ...cursor,
    ageMs: Math.max(0, now - cursor.writtenAt),
    endedBy: endOf(cursor, owners.get(keyOf(cursor.source, cursor.symbol))),
  }));
  return {
    summary: [summaryOf(feeds, alive), ...restarted.map((one) => restartsText(one, now))].join('; '),
    problems: [
      ...died.map(({ name }) => `${name} died: see \`cryptopipe stack logs ${name}\``),
      ...waiting.map((one) => restartsText(one, now) ?? `${one.name} is not healthy`),
      ...(isExplained ? [] : running.filter(isDead).map((one) => deadProblem(one, now))),
      ...alive.flatMap((one) => [
        ...one.outages.map((outage) => outageProblem(one, outage, now)),
        ...symbolProblems(one),
        ...hangProblems(one, Math.max(answerLimitMs, 3 * pollIntervalMs), now),
      ]),
    ],
    facts: { feeds, producers: current, background: processes },
  };
}

const isContinuous = ({ feed }: Pick<Cursor, 'feed'>): boolean => !feed.startsWith('archive:');
const keyOf = (source: string, symbol: string): string => `${source}/${symbol}`;

/** Of the producers that have a symbol the one that wrote last: one that died is no loss where another has its symbols. */
function ownersOf(producers: readonly ProducerHeartbeat[]): ReadonlyMap<string, ProducerHeartbeat> {
  const owners = new Map<string, ProducerHeartbeat>();
  for (const producer of producers)
    for (const { symbol } of producer.symbols) {
      const key = keyOf(producer.source, symbol);
      if ((owners.get(key)?.writtenAt ?? -1) < producer.writtenAt) owners.set(key, producer);
    }
  return owners;
}

/** When a symbol was given up, epoch ms; a producer that was started later wants it again. */
function givenUpAt(cursors: readonly Cursor[]): ReadonlyMap<string, number> {
  return new Map(
    newestFeeds(cursors)
      .filter(({ endedBy }) => endedBy === 'given up')
      .map(({ source, symbol, writtenAt }) => [keyOf(source, symbol), writtenAt]),
  );
}

/** Of the feeds that share a symbol's ids the one that wrote last. */
function newestFeeds(cursors: readonly Cursor[]): Cursor[] {
  const newest = new Map<string, Cursor>();
  for (const cursor of cursors.filter(isContinuous)) {
    const key = keyOf(cursor.source, cursor.symbol);
    if ((newest.get(key)?.writtenAt ?? -1) < cursor.writtenAt) newest.set(key, cursor);
  }
  return [...newest.values()];
}

/** A cursor is written when its id changes; a newer heartbeat tells more about how its producer ended, or that one runs. */
const endOf = (cursor: Cursor, owner: ProducerHeartbeat | undefined): Cursor['endedBy'] =>
  owner === undefined || owner.writtenAt < cursor.writtenAt ? cursor.endedBy : owner.endedBy;

function summaryOf(
  feeds: readonly (Cursor & { readonly ageMs: number })[],
  alive: readonly ProducerHeartbeat[],
): string {
  if (feeds.length > 0)
    return feeds
      .map(
        ({ symbol, feed, aggTradeId, ageMs, endedBy }) =>
          `${symbol} ${feed}: id ${aggTradeId}, ${shortDuration(ageMs)} ago${endText(endedBy)}`,
      )
      .join('; ');
  return alive.length > 0 ? 'a producer runs, and nothing was produced yet' : 'nothing was ever produced';
}

const endText = (endedBy: Cursor['endedBy']): string =>
  endedBy === undefined ? '' : endedBy === 'order' ? ' (stopped by order)' : ` (${endedBy})`;

const placeOf = ({ feed, host, pid }: ProducerHeartbeat): string => `${feed}, pid ${pid} on ${host}`;

const deadProblem = (producer: ProducerHeartbeat, now: number): string =>
  `the producer of ${namesOf(producer.symbols)} (${placeOf(producer)}) died: its last heartbeat is ${shortDuration(now - producer.writtenAt)} old; start it again`;

const outageProblem = (
  producer: ProducerHeartbeat,
  { system, since, reason }: ProducerHeartbeat['outages'][number],
  now: number,
): string =>
  `the producer (${placeOf(producer)}) waits for ${system} since ${new Date(since).toISOString().slice(0, 19)}Z (${shortDuration(Math.max(0, now - since))}): ${reason}`;

const symbolProblems = ({ symbols, feed }: ProducerHeartbeat): string[] =>
  symbols.flatMap(({ symbol, problem }) =>
    problem === undefined ? [] : [`${symbol} (${feed}): ${problem}`],
  );

/** A symbol of a producer that runs, without an answer for long. An outage of the exchange explains it already. */
function hangProblems(producer: ProducerHeartbeat, limitMs: number, now: number): string[] {
  if (producer.outages.some(({ system }) => system.startsWith('exchange'))) return [];
  const limit = limitMs + answerLimitPerSymbolMs * producer.symbols.length;
  const since = (one: ProducedSymbol): number => Math.max(producer.startedAt, one.answeredAt ?? 0);
  const isHung = (one: ProducedSymbol): boolean =>
    one.problem === undefined && producer.writtenAt - since(one) > limit;
  const hung = producer.symbols.filter(isHung);
  if (hung.length === 0) return [];
  const longest = Math.min(...hung.map(since));
  return [
    `the feed of ${namesOf(hung)} (${placeOf(producer)}) hangs: the exchange's last answer is ${shortDuration(now - longest)} old; restart the producer`,
  ];
}

function namesOf(symbols: readonly ProducedSymbol[]): string {
  const named = symbols.slice(0, mostNamed).map(({ symbol }) => symbol);
  const more = symbols.length - named.length;
  return more === 0 ? named.join(', ') : `${named.join(', ')} and ${more} more`;
}
