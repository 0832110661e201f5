import type pg from 'pg';
import type {
  Bar,
  BarDay,
  BarEvidence,
  BarStore,
  CommittedOffset,
  Hole,
  IdRange,
  SymbolCoverage,
  SymbolFreshness,
} from '../core/ports/bars.js';
import { exactNumber, inTransaction, queryRows } from './postgres.js';

type Row = Readonly<Record<string, unknown>>;
type BarQuery = Parameters<BarStore['evidence']>[0];

const barColumns = `
  source, symbol, window_start, open_price, high_price, low_price, close_price, volume, quote_volume,
  trade_count, taker_buy_volume, taker_buy_quote_volume, taker_buy_trade_count,
  first_agg_trade_id, last_agg_trade_id, first_trade_id, last_trade_id, finalized_at IS NOT NULL AS is_final`;

const barsSql = `
  SELECT ${barColumns}
  FROM crypto.crypto_prices_agg_1min
  WHERE source = $1 AND symbol = $2
    AND window_start >= coalesce(to_timestamp($3::bigint / 1000.0), '-infinity')
    AND window_start < coalesce(to_timestamp($4::bigint / 1000.0), 'infinity')
  ORDER BY window_start`;

const coverageSql = `
  SELECT lower(ids.range) AS first_id, upper(ids.range) - 1 AS last_id
  FROM crypto.coverage, unnest(coverage.ids) AS ids(range)
  WHERE source = $1 AND symbol = $2
  ORDER BY 1`;

const allCoverageSql = `
  SELECT held.symbol, lower(ids.range) AS first_id, upper(ids.range) - 1 AS last_id, newest.event_time
  FROM crypto.coverage AS held
  CROSS JOIN LATERAL unnest(held.ids) AS ids(range)
  LEFT JOIN LATERAL (
    SELECT trade.event_time FROM crypto.crypto_prices_clean AS trade
    WHERE trade.source = held.source AND trade.symbol = held.symbol AND trade.agg_trade_id = upper(held.ids) - 1
      AND upper(ids.range) = upper(held.ids)
    LIMIT 1
  ) AS newest ON true
  WHERE held.source = $1
  ORDER BY held.symbol, first_id`;

const neighboursSql = `
  SELECT
    (SELECT last_agg_trade_id FROM crypto.crypto_prices_agg_1min
     WHERE source = $1 AND symbol = $2 AND window_start < to_timestamp($3::bigint / 1000.0)
     ORDER BY window_start DESC LIMIT 1) AS last_id_before,
    (SELECT first_agg_trade_id FROM crypto.crypto_prices_agg_1min
     WHERE source = $1 AND symbol = $2 AND window_start >= to_timestamp($4::bigint / 1000.0)
     ORDER BY window_start LIMIT 1) AS first_id_after`;

const barDaysSql = `
  SELECT min(window_start) AS first_bar, max(window_start) AS last_bar
  FROM crypto.crypto_prices_agg_1min
  WHERE source = $1 AND symbol = $2
    AND window_start >= coalesce(to_timestamp($3::bigint / 1000.0), '-infinity')
    AND window_start < coalesce(to_timestamp($4::bigint / 1000.0), 'infinity')
  GROUP BY date_trunc('day', window_start, 'UTC')
  ORDER BY 1`;

const freshnessSql = `
  SELECT source, symbol, newest_trade_time, newest_final_window_start, holes, missing_ids::bigint AS missing_ids,
    (SELECT min(first_id) FROM crypto.holes
     WHERE holes.source = freshness.source AND holes.symbol = freshness.symbol) AS first_missing_id
  FROM crypto.freshness
  ORDER BY source, symbol`;

/** A checkpoint that was made anew begins again: what an earlier generation has committed says nothing of it. */
const offsetsSql = `
  SELECT held.topic, held.partition, held.next_offset::text AS next,
    (extract(epoch FROM clock_timestamp() - newest.committed_at) * 1000)::bigint AS age_ms
  FROM (SELECT DISTINCT topic FROM crypto.committed_offsets WHERE query = $1) AS known
  CROSS JOIN LATERAL (
    SELECT generation, committed_at FROM crypto.batches
    WHERE query = $1 AND topic = known.topic
    ORDER BY id DESC
    LIMIT 1
  ) AS newest
  JOIN crypto.committed_offsets AS held
    ON held.query = $1 AND held.topic = known.topic AND held.generation = newest.generation
  ORDER BY held.topic, held.partition`;

/** The warehouse in PostgreSQL; reads the tables themselves, whatever name people read them under. */
export function createBarStore(pool: pg.Pool): BarStore {
  return {
    symbols: async (source) => {
      const rows = await queryRows<{ symbol: string }>(
        pool,
        'SELECT symbol FROM crypto.coverage WHERE source = $1 ORDER BY symbol',
        [source],
      );
      return rows.map(({ symbol }) => symbol);
    },
    bars: async ({ source, symbol, from, to }) =>
      (await queryRows<Row>(pool, barsSql, [source, symbol, from, to])).map(toBar),
    evidence: (query) => readEvidence(pool, query),
    coverage: async (source) => bySymbol(await queryRows<Row>(pool, allCoverageSql, [source])),
    barDays: async ({ source, symbol, from, to }) =>
      (await queryRows<Row>(pool, barDaysSql, [source, symbol, from ?? null, to ?? null])).map(toBarDay),
    holes: async (source) =>
      (
        await queryRows<Row>(
          pool,
          `SELECT source, symbol, first_id, last_id FROM crypto.holes
           WHERE source = coalesce($1, source) ORDER BY source, symbol, first_id`,
          [source ?? null],
        )
      ).map(toHole),
    freshness: async () => (await queryRows<Row>(pool, freshnessSql)).map(toFreshness),
    committedOffsets: async (query) => (await queryRows<Row>(pool, offsetsSql, [query])).map(toOffset),
  };
}

async function readEvidence(pool: pg.Pool, { source, symbol, from, to }: BarQuery): Promise<BarEvidence> {
  const values = [source, symbol, from ?? null, to ?? null];
  return inTransaction(
    pool,
    async (client) => {
      const bars = await client.query<Row>(barsSql, values);
      const coverage = await client.query<Row>(coverageSql, values.slice(0, 2));
      const neighbours = await client.query<Row>(neighboursSql, values);
      return {
        bars: bars.rows.map(toBar),
        coverage: coverage.rows.map(toRange),
        lastIdBefore: optionalNumber(neighbours.rows[0]?.['last_id_before']),
        firstIdAfter: optionalNumber(neighbours.rows[0]?.['first_id_after']),
      };
    },
    'ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  );
}

const optionalNumber = (value: unknown): number | undefined =>
  value === null || value === undefined ? undefined : exactNumber(value, 'an id or a time');

function toBar(row: Row): Bar {
  const number = (name: string): number => exactNumber(row[name], name);
  const text = (name: string): string => row[name] as string;
  return {
    source: text('source'),
    symbol: text('symbol'),
    windowStart: (row['window_start'] as Date).getTime(),
    open: text('open_price'),
    high: text('high_price'),
    low: text('low_price'),
    close: text('close_price'),
    volume: text('volume'),
    quoteVolume: text('quote_volume'),
    tradeCount: number('trade_count'),
    takerBuyVolume: text('taker_buy_volume'),
    takerBuyQuoteVolume: text('taker_buy_quote_volume'),
    takerBuyTradeCount: number('taker_buy_trade_count'),
    firstAggTradeId: number('first_agg_trade_id'),
    lastAggTradeId: number('last_agg_trade_id'),
    firstTradeId: number('first_trade_id'),
    lastTradeId: number('last_trade_id'),
    isFinal: row['is_final'] as boolean,
  };
}

const toBarDay = (row: Row): BarDay => ({
  firstBarAt: (row['first_bar'] as Date).getTime(),
  lastBarAt: (row['last_bar'] as Date).getTime(),
});

const toRange = (row: Row): IdRange => ({
  firstId: exactNumber(row['first_id'], 'first_id'),
  lastId: exactNumber(row['last_id'], 'last_id'),
});

function bySymbol(rows: readonly Row[]): SymbolCoverage[] {
  const found = new Map<string, SymbolCoverage & { ranges: IdRange[] }>();
  for (const row of rows) {
    const symbol = row['symbol'] as string;
    const ranges = found.get(symbol)?.ranges ?? [];
    ranges.push(toRange(row));
    // Rows come in order of id: the last one of a symbol holds its newest trade.
    found.set(symbol, { symbol, ranges, newestTradeAt: optionalNumber(row['event_time']) });
  }
  return [...found.values()];
}

const toHole = (row: Row): Hole => ({
  source: row['source'] as string,
  symbol: row['symbol'] as string,
  ...toRange(row),
});

const toFreshness = (row: Row): SymbolFreshness => ({
  source: row['source'] as string,
  symbol: row['symbol'] as string,
  newestTradeAt: (row['newest_trade_time'] as Date | null)?.getTime(),
  newestFinalBarAt: (row['newest_final_window_start'] as Date | null)?.getTime(),
  holes: exactNumber(row['holes'], 'holes'),
  missingIds: exactNumber(row['missing_ids'], 'missing_ids'),
  firstMissingId: optionalNumber(row['first_missing_id']),
});

const toOffset = (row: Row): CommittedOffset => ({
  topic: row['topic'] as string,
  partition: exactNumber(row['partition'], 'partition'),
  next: BigInt(row['next'] as string),
  ageMs: exactNumber(row['age_ms'], 'age_ms'),
});
