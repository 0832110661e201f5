import type { Outage } from './outages.js';
import { isCleanEnd, type CleanEnd } from './clean-end.js';

/** One symbol of a running producer. A symbol that was given up is in no heartbeat. */
export interface ProducedSymbol {
  readonly symbol: string;
  /** The exchange's last answer about it, with or without a trade, epoch ms; undefined before the first. */
  readonly answeredAt?: number | undefined;
  /** Why nothing is collected of it, one line: halted, unknown to the exchange. Undefined where it is collected. */
  readonly problem?: string | undefined;
}

/** What a producer writes every ten seconds, at its start and at its end: that it runs, and what it has of each symbol. */
export interface ProducerHeartbeat {
  /** Unique for each start of a producer. */
  readonly id: string;
  readonly clientId: string;
  readonly host: string;
  readonly pid: number;
  readonly feed: string;
  readonly source: string;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly writtenAt: number;
  /** Set in its last heartbeat; a producer that crashed has none. */
  readonly endedBy?: CleanEnd | undefined;
  readonly outages: readonly Outage[];
  readonly symbols: readonly ProducedSymbol[];
}

/** Who produces; a part of its heartbeats. */
export type ProducerIdentity = Pick<ProducerHeartbeat, 'id' | 'clientId' | 'host' | 'pid'>;

const keyPrefix = 'producer/';
const mostSymbols = 5000;
const longestProblem = 200;

/** The key of a heartbeat's message. The keys of cursors begin with a source, of which none is called `producer`. */
export const heartbeatKey = ({
  clientId,
  feed,
  id,
}: Pick<ProducerHeartbeat, 'clientId' | 'feed' | 'id'>): string => `${keyPrefix}${clientId}/${feed}/${id}`;

/** The value of a heartbeat's message, one JSON object of less than 1 MiB. */
export const heartbeatMessage = ({ symbols, ...heartbeat }: ProducerHeartbeat): string =>
  JSON.stringify({
    ...heartbeat,
    symbols: symbols
      .slice(0, mostSymbols)
      .map(({ problem, ...one }) => ({ ...one, problem: problem?.slice(0, longestProblem) })),
  });

/** A heartbeat older than this belongs to a producer that runs no more, ms; one is written every ten seconds. */
export const heartbeatLimitMs = 60_000;
/** So long the last heartbeat of a producer is kept, as long as the trades of its topic, ms. */
export const heartbeatRetentionMs = 7 * 24 * 3600 * 1000;

/**
 * The heartbeats that a starting producer removes: those that it replaces (of the same client and feed, and of no symbol that it
 * lacks), those of producers on its host that run no more, and all that are older than a week.
 */
export function replacedBy(
  starting: Omit<ProducerHeartbeat, 'writtenAt' | 'outages'>,
  heartbeats: readonly ProducerHeartbeat[],
): readonly ProducerHeartbeat[] {
  const own = new Set(starting.symbols.map(({ symbol }) => symbol));
  const same = ['clientId', 'feed', 'source'] as const;
  return heartbeats.filter((other) => {
    const ageMs = starting.startedAt - other.writtenAt;
    if (ageMs > heartbeatRetentionMs) return true;
    if (other.id === starting.id || same.some((name) => other[name] !== starting[name])) return false;
    const isOver = other.endedBy !== undefined || ageMs > heartbeatLimitMs;
    return other.symbols.every(({ symbol }) => own.has(symbol)) || (isOver && other.host === starting.host);
  });
}

/** Reads a heartbeat back; undefined where the text is none. Total. */
export function parseHeartbeat(text: string): ProducerHeartbeat | undefined {
  const value = parsed(text);
  if (value === undefined) return undefined;
  const { id, clientId, host, pid, feed, source, startedAt, writtenAt, endedBy, outages, symbols } = value;
  if (!isText(id) || !isText(clientId) || !isText(host) || !isText(feed) || !isText(source)) return undefined;
  if (!isWhole(pid) || !isWhole(startedAt) || !isWhole(writtenAt) || !isListOf(symbols, isSymbol))
    return undefined;
  if (!isListOf(outages, isOutage)) return undefined;
  const end = isCleanEnd(endedBy) ? { endedBy } : {};
  return { id, clientId, host, pid, feed, source, startedAt, writtenAt, ...end, outages, symbols };
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOf = <T>(value: unknown, is: (one: unknown) => one is T): value is T[] =>
  Array.isArray(value) && value.every(is);

const isSymbol = (value: unknown): value is ProducedSymbol =>
  isObject(value) &&
  isText(value['symbol']) &&
  (value['answeredAt'] === undefined || isWhole(value['answeredAt'])) &&
  (value['problem'] === undefined || isText(value['problem']));

const isOutage = (value: unknown): value is Outage =>
  isObject(value) && isText(value['system']) && isText(value['reason']) && isWhole(value['since']);
