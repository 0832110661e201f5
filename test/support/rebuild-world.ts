import pg from 'pg';
import { afterAll, beforeAll, expect } from 'vitest';
import { createSchema } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows, type PostgresAddress } from '../../src/adapters/postgres.js';
import { countBatch, keepTrades, type TestTrade } from './count-trades.js';
import { lakeMinutes } from './lake-minutes.js';
import { startPostgres, type TestPostgres } from './postgres.js';

/** The minutes of the tests are numbered from here. */
export const begin = Date.UTC(2024, 7, 8, 12);

/** Trades of one minute, with the ids from `first` to `last`. */
export const trades = (minute: number, first: number, last = first, isNeutralised = false): TestTrade[] =>
  Array.from({ length: last - first + 1 }, (_, index) => ({
    id: first + index,
    time: begin + minute * 60_000 + index,
    price: 100 + ((first + index) % 7),
    isNeutralised,
  }));

/** Five minutes with trades, the third one quiet. */
export const history = [
  ...trades(0, 10, 12),
  ...trades(1, 13, 16),
  ...trades(2, 17, 19),
  ...trades(4, 20, 22),
  ...trades(5, 23),
];

export interface BookedMinute {
  readonly minute: number;
  readonly verdict: string;
  readonly reason: string | null;
  readonly missing: string;
  readonly differences: unknown;
}

interface RebuildOptions {
  readonly replace?: boolean;
  /** The symbol's name where nobody says one. */
  readonly runId?: string;
  /** Minutes of which the warehouse knows. */
  readonly known?: readonly number[];
  /** Ids that the lake has with several contents. */
  readonly several?: readonly number[];
  readonly client?: pg.ClientBase;
}

/** One symbol in a warehouse: what is counted of it, and what a lake makes of that. */
export class RebuildWorld {
  constructor(
    readonly address: PostgresAddress,
    readonly pool: pg.Pool,
    readonly symbol: string,
    readonly source: string,
  ) {}

  count(...batch: readonly TestTrade[][]): Promise<void> {
    return countBatch(this.pool, this.symbol, batch.flat(), this.source);
  }

  /** The counted trades stay in their table; without this they are as if pruned. */
  keep(...kept: readonly TestTrade[][]): Promise<void> {
    return keepTrades(this.pool, this.symbol, kept.flat(), this.source);
  }

  /** The verdict of each minute. */
  async rebuild(lake: readonly TestTrade[], options: RebuildOptions = {}): Promise<Record<number, string>> {
    const { held, minutes } = lakeMinutes(this.source, this.symbol, lake, {
      ...options,
      known: (options.known ?? []).map((minute) => begin + minute * 60_000),
    });
    const runId = options.runId ?? this.symbol;
    const { rows } = await (options.client ?? this.pool).query<{ minute: number; verdict: string }>(
      `SELECT ((extract(epoch FROM window_start) * 1000 - $7) / 60000)::int AS minute, verdict
       FROM crypto.rebuild_minutes($1, $2, $3, $4, $5, $6) ORDER BY window_start`,
      [runId, this.source, this.symbol, held, minutes, options.replace ?? false, begin],
    );
    return Object.fromEntries(rows.map(({ minute, verdict }) => [minute, verdict]));
  }

  /** What a run has written down; minutes that are equal are not. */
  booked(runId = this.symbol): Promise<BookedMinute[]> {
    return queryRows<BookedMinute & pg.QueryResultRow>(
      this.pool,
      `SELECT ((extract(epoch FROM window_start) * 1000 - $2) / 60000)::int AS minute, verdict, reason,
         missing_ids::text AS missing, differences
       FROM crypto.rebuilt_minutes WHERE run_id = $1 ORDER BY window_start`,
      [runId, begin],
    );
  }

  /** Minute, reason and missing ids of what was refused. */
  async refused(runId?: string): Promise<unknown[]> {
    return (await this.booked(runId))
      .filter(({ verdict }) => verdict === 'refused')
      .map(({ minute, reason, missing }) => [minute, reason, missing]);
  }

  /** Bars without the times at which they were written. */
  bars(): Promise<unknown[]> {
    return queryRows(
      this.pool,
      `SELECT to_jsonb(bar) - 'updated_at' - 'finalized_at' AS bar, finalized_at IS NOT NULL AS is_final
       FROM crypto.crypto_prices_agg_1min AS bar WHERE symbol = $1 ORDER BY window_start`,
      [this.symbol],
    );
  }

  coverage(): Promise<unknown[]> {
    return queryRows(this.pool, 'SELECT ids FROM crypto.coverage WHERE symbol = $1', [this.symbol]);
  }

  /**
   * Changes the bar of a minute (`volume = 0`, or `DELETE`) as somebody with all rights who has switched off the guard: the
   * only way in which a final bar becomes wrong.
   */
  async spoil(minute: number, change: string): Promise<void> {
    const bars = 'crypto.crypto_prices_agg_1min';
    const client = new pg.Client(this.address);
    await client.connect();
    await client.query(`SET session_replication_role = replica`);
    const { rowCount } = await client.query(
      `${change === 'DELETE' ? `DELETE FROM ${bars}` : `UPDATE ${bars} SET ${change}`}
       WHERE symbol = '${this.symbol}' AND window_start = to_timestamp(${(begin + minute * 60_000) / 1000})`,
    );
    await client.end();
    expect(rowCount).toBe(1);
  }
}

/** A warehouse for the tests of one file; gives a world with a new symbol at each call. */
export function useWarehouse(): (source?: string) => RebuildWorld {
  let server: TestPostgres;
  let address: PostgresAddress;
  let pool: pg.Pool;
  let made = 0;
  beforeAll(async () => {
    server = await startPostgres();
    address = await server.database();
    pool = createPool(address);
    const names = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
    await createSchema(pool, names).migrate();
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });
  return (source = 'test') => new RebuildWorld(address, pool, `S${(made += 1)}`, source);
}
