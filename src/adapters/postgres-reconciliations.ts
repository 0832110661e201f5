import type pg from 'pg';
import { ConfigError } from '../core/errors.js';
import type { IdRange } from '../core/ports/bars.js';
import type { Reconciliations } from '../core/ports/reconciliations.js';
import { queryRows } from './postgres.js';

const saveSql = `
  INSERT INTO crypto.reconciliations AS held
    (source, symbol, window_start, verdict, against, is_compared, differences, missing_ids)
  SELECT $1, $2, window_start, verdict, $3, is_compared, differences, missing_ids
  FROM jsonb_to_recordset($4) AS found (
    window_start TIMESTAMPTZ, verdict TEXT, is_compared BOOLEAN, differences JSONB, missing_ids INT8MULTIRANGE
  )
  ON CONFLICT (source, symbol, window_start) DO UPDATE SET
    verdict = EXCLUDED.verdict,
    against = EXCLUDED.against,
    is_compared = EXCLUDED.is_compared,
    differences = EXCLUDED.differences,
    missing_ids = EXCLUDED.missing_ids,
    checked_at = EXCLUDED.checked_at`;

/** The table `crypto.reconciliations`. */
export function createReconciliations(pool: pg.Pool): Reconciliations {
  return {
    check: async () => {
      const [found] = await queryRows<{ book: string | null }>(
        pool,
        `SELECT to_regclass('crypto.reconciliations')::text AS book`,
      );
      if ((found?.book ?? null) === null)
        throw new ConfigError('The warehouse has no table crypto.reconciliations for what verify finds', {
          nextStep:
            'Bring its schema up to date with `cryptopipe init`, or give --dry-run, which saves nothing.',
        });
    },
    save: async ({ source, symbol, against, minutes }) => {
      const rows = minutes.map((minute) => ({
        window_start: new Date(minute.windowStart).toISOString(),
        verdict: minute.verdict,
        is_compared: minute.isCompared,
        differences: minute.differences,
        missing_ids: multirangeOf(minute.missingIds),
      }));
      await queryRows(pool, saveSql, [source, symbol, against, JSON.stringify(rows)]);
    },
  };
}

const multirangeOf = (ranges: readonly IdRange[]): string =>
  `{${ranges.map(({ firstId, lastId }) => `[${firstId},${lastId}]`).join(',')}}`;
