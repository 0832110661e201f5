import type pg from 'pg';
import { inTransaction } from '../../src/adapters/postgres.js';
import type { Bar } from '../../src/core/ports/bars.js';
import { toPartial } from './count-bars.js';
import { barsOfTape } from './tape-bars.js';

/** One aggregate trade, or with `isNeutralised` a row that is covered and counted as nothing. */
export interface TestTrade {
  readonly id: number;
  /** Epoch ms. */
  readonly time: number;
  readonly price: number;
  readonly isNeutralised: boolean;
}

/** What the hot query does with one batch, through the same functions and in the same order; Spark's part in TypeScript. */
export async function countBatch(
  pool: pg.Pool,
  symbol: string,
  batch: readonly TestTrade[],
  source = 'test',
): Promise<void> {
  await inTransaction(pool, async (client) => {
    const locked = await client.query<{ ids: string }>('SELECT ids::text FROM crypto.lock_coverage($1)', [
      wantedOf(source, symbol, batch),
    ]);
    const covered = await client.query<{ id: string }>(
      'SELECT id FROM unnest($1::int8[]) AS id WHERE $2::int8multirange @> id',
      [batch.map(({ id }) => id), locked.rows[0]?.ids ?? '{}'],
    );
    const known = new Set(covered.rows.map(({ id }) => Number(id)));
    const fresh = [...new Map(batch.map((trade) => [trade.id, trade])).values()].filter(
      ({ id }) => !known.has(id),
    );
    if (fresh.length === 0) return;
    const partials = JSON.stringify(barsOf(source, symbol, fresh).map(toPartial));
    const refused = await client.query('SELECT 1 FROM crypto.final_minutes($1)', [partials]);
    if (refused.rows.length > 0) throw new Error('a trade that is not covered claims a final minute');
    await client.query('SELECT crypto.merge_bars($1)', [partials]);
    await client.query('SELECT crypto.cover($1)', [wantedOf(source, symbol, fresh)]);
    await client.query('SELECT crypto.finalize_bars($1)', [wantedOf(source, symbol, fresh)]);
  });
}

/** Puts the trades beside their bars, as the hot query does and as they are until somebody prunes them. */
export async function keepTrades(
  pool: pg.Pool,
  symbol: string,
  trades: readonly TestTrade[],
  source = 'test',
): Promise<void> {
  const rows = trades.map(({ id, time, price, isNeutralised }) => ({
    ...{ source, symbol, agg_trade_id: id, event_time: time, event_timestamp: new Date(time).toISOString() },
    ...{ first_trade_id: isNeutralised ? -1 : 2 * id, last_trade_id: isNeutralised ? -1 : 2 * id + 1 },
    ...{ price: isNeutralised ? '0' : `${price}.5`, quantity: isNeutralised ? '0' : '0.25' },
    buyer_is_maker: id % 3 === 0,
  }));
  await inTransaction(pool, async (client) => {
    await client.query('SELECT crypto.ensure_day(day::date) FROM unnest($1::text[]) AS day', [
      [...new Set(rows.map((row) => row.event_timestamp.slice(0, 10)))].sort(),
    ]);
    await client.query(
      `INSERT INTO crypto.crypto_prices_clean
       SELECT * FROM jsonb_populate_recordset(NULL::crypto.crypto_prices_clean, $1)`,
      [JSON.stringify(rows)],
    );
  });
}

function wantedOf(source: string, symbol: string, trades: readonly TestTrade[]): string {
  return JSON.stringify([{ source, symbol, ids: `{${trades.map(({ id }) => `[${id},${id}]`).join(',')}}` }]);
}

/** The trades as rows of the exchange's archive, in order of id; what is neutralised is left out. */
export function tapeRows(trades: readonly TestTrade[]): string[][] {
  return trades
    .filter(({ isNeutralised }) => !isNeutralised)
    .sort((left, right) => left.id - right.id)
    .map(({ id, time, price }) => [
      ...[String(id), `${price}.50000000`, '0.25000000', String(2 * id), String(2 * id + 1), String(time)],
      String(id % 3 === 0),
    ]);
}

const barsOf = (source: string, symbol: string, trades: readonly TestTrade[]): Bar[] =>
  barsOfTape(tapeRows(trades), symbol, 60_000).map((bar) => ({ ...bar, source }));
