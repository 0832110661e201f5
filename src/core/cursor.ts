import { isCleanEnd } from './clean-end.js';
import type { Cursor } from './ports/topic.js';

/** The key of a cursor's message: what the compacted topic keeps one newest value of. */
export const cursorKey = (cursor: Pick<Cursor, 'source' | 'symbol' | 'feed'>): string =>
  `${cursor.source}/${cursor.symbol}/${cursor.feed}`;

/** The value of a cursor's message: one JSON object. */
export const cursorMessage = (cursor: Cursor): string =>
  JSON.stringify({
    source: cursor.source,
    symbol: cursor.symbol,
    feed: cursor.feed,
    aggTradeId: cursor.aggTradeId,
    eventTime: cursor.eventTime,
    writtenAt: cursor.writtenAt,
    endedBy: cursor.endedBy,
  });

/** Reads a cursor back; undefined where the text is no cursor. Total. */
export function parseCursor(text: string): Cursor | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { source, symbol, feed, aggTradeId, eventTime, writtenAt, endedBy } = value as Record<
    string,
    unknown
  >;
  if (typeof source !== 'string' || typeof symbol !== 'string' || typeof feed !== 'string') return undefined;
  if (!isWhole(aggTradeId) || !isWhole(eventTime) || !isWhole(writtenAt)) return undefined;
  const end = isCleanEnd(endedBy) ? { endedBy } : {};
  return { source, symbol, feed, aggTradeId, eventTime, writtenAt, ...end };
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
