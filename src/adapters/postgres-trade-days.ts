import type pg from 'pg';
import type { TradeDays } from '../core/ports/retention.js';
import { exactNumber, queryRows } from './postgres.js';

/** A partition is named for its day by `crypto.ensure_day`; others, made by hand, are nobody's to drop. */
const daysSql = `
  SELECT day, coalesce(pg_total_relation_size(oid), 0)::int8 AS size_bytes
  FROM (
    SELECT part.oid, to_char(to_date(right(part.relname, 8), 'YYYYMMDD'), 'YYYY-MM-DD') AS day
    FROM pg_inherits
    JOIN pg_class AS part ON part.oid = pg_inherits.inhrelid
    WHERE pg_inherits.inhparent = 'crypto.crypto_prices_clean'::regclass
      AND part.relname ~ '^crypto_prices_clean_[0-9]{8}$'
  ) AS days
  WHERE day < $1
  ORDER BY day`;

/** Asked of the parent: a partition that is dropped meanwhile has no rows, and is no error. */
const rowsSql = `
  SELECT count(*) AS rows FROM crypto.crypto_prices_clean
  WHERE event_timestamp >= ($1 || ' 00:00:00+00')::timestamptz
    AND event_timestamp < ($1 || ' 00:00:00+00')::timestamptz + INTERVAL '24 hours'`;

/** The day partitions of the trades in PostgreSQL. */
export function createTradeDays(pool: pg.Pool): TradeDays {
  return {
    before: async (day) => {
      const days = await queryRows<{ day: string; size_bytes: unknown }>(pool, daysSql, [day]);
      const counted = [];
      for (const found of days) {
        const [row] = await queryRows<{ rows: unknown }>(pool, rowsSql, [found.day]);
        counted.push({
          day: found.day,
          rows: exactNumber(row?.rows, 'rows'),
          sizeBytes: exactNumber(found.size_bytes, 'size_bytes'),
        });
      }
      return counted;
    },
    drop: async (day) => {
      const [row] = await queryRows<{ was_there: boolean }>(
        pool,
        'SELECT crypto.drop_day($1::date) AS was_there',
        [day],
      );
      return row?.was_there ?? false;
    },
  };
}
