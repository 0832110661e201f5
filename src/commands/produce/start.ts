import { JobFailedError, UsageError } from '../../core/errors.js';
import type { Exchange } from '../../core/ports/exchange.js';
import type { Cursor } from '../../core/ports/topic.js';
import type { StartPoint } from '../../core/start-point.js';
import type { Tick } from '../../core/tick.js';

/** Where a symbol begins, and why. */
export interface SymbolStart {
  readonly symbol: string;
  readonly nextId: number;
  /** The newest trade that the exchange had when it was asked. */
  readonly newest: Tick | undefined;
  readonly reason: 'cursor' | 'now' | 'time' | 'id' | 'slot';
  readonly cursor: Cursor | undefined;
}

/** A cursor wins over the start point: it is what Kafka has acknowledged. */
export async function findStart(
  exchange: Exchange,
  symbol: string,
  wish: { readonly from: StartPoint; readonly cursor: Cursor | undefined },
  signal: AbortSignal,
): Promise<SymbolStart> {
  // Asked before anything else: what comes after this trade is found by the first poll.
  const newest = (await exchange.trades({ symbol, limit: 1 }, signal)).at(-1);
  const { from, cursor } = wish;
  if (cursor !== undefined) {
    await requireSameHistory(exchange, cursor, signal);
    return { symbol, nextId: cursor.aggTradeId + 1, newest, reason: 'cursor', cursor };
  }
  const nextId = await firstIdOf(exchange, symbol, from, newest, signal);
  return { symbol, nextId, newest, reason: from.kind, cursor };
}

async function firstIdOf(
  exchange: Exchange,
  symbol: string,
  from: StartPoint,
  newest: Tick | undefined,
  signal: AbortSignal,
): Promise<number> {
  switch (from.kind) {
    case 'id':
      return from.id;
    case 'now':
      return newest?.aggTradeId ?? 0;
    case 'time': {
      const now = await exchange.serverTime(signal);
      if (from.time > now)
        throw new UsageError(`--from ${new Date(from.time).toISOString()} lies in the exchange's future`, {
          nextStep: `The exchange's clock says ${new Date(now).toISOString()}; give an earlier time, or leave --from out.`,
        });
      const [first] = await exchange.trades({ symbol, limit: 1, startTime: from.time }, signal);
      return first?.aggTradeId ?? (newest === undefined ? 0 : newest.aggTradeId + 1);
    }
  }
}

/** Going on from a cursor of another exchange's ids would wait for ever, or mix two histories under one source. */
export async function requireSameHistory(
  exchange: Pick<Exchange, 'trades'>,
  cursor: Cursor,
  signal: AbortSignal,
): Promise<void> {
  const { symbol, aggTradeId, eventTime } = cursor;
  const [same] = await exchange.trades({ symbol, limit: 1, fromId: aggTradeId }, signal);
  if (same?.aggTradeId === aggTradeId && same.eventTime === eventTime) return;
  const found =
    same === undefined
      ? 'no trade from there on'
      : `trade ${same.aggTradeId} of ${new Date(same.eventTime).toISOString()}`;
  throw new JobFailedError(
    `The cursor of ${symbol} stands at trade ${aggTradeId} of ${new Date(eventTime).toISOString()}, where this exchange has ${found}`,
    {
      nextStep:
        'The topic holds the trades of another exchange. Name that one by --exchange, or begin a new history with --ignore-cursor.',
    },
  );
}
