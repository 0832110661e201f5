import type pg from 'pg';
import { findingsOf, proofOf, type BarEvidenceSummary } from '../core/bar-proof.js';
import { chartIntervals, type Candle, type ChartView } from '../core/dashboard.js';
import type { Difference } from '../core/minute-verdict.js';
import type { DashboardData } from '../core/ports/dashboard.js';
import { createBarStore } from './postgres-bars.js';
import { createPostgresRuns } from './postgres-runs.js';
import { exactNumber, queryRows } from './postgres.js';

const newestRuns = 5;
const newestHoles = 8;

/** Shown is what there is, however old: the newest bar is the end, not the present. */
const firstShownSql = `
  SELECT date_bin(make_interval(mins => $3::int), window_start, TIMESTAMPTZ '2000-01-01Z')
    - make_interval(mins => $3::int) * ($4::int - 1) AS since
  FROM crypto.crypto_prices_agg_1min
  WHERE source = $1 AND symbol = $2
  ORDER BY window_start DESC
  LIMIT 1`;

/**
 * A verdict that is older than its bar's being final was spoken of another state of it. How many minutes of a candle have
 * which verdict, and what differs in them, is counted once for all candles.
 */
const candlesSql = `
  SELECT (extract(epoch FROM candle.window_start) * 1000)::int8 AS at,
    candle.open_price::text AS open, candle.high_price::text AS high, candle.low_price::text AS low,
    candle.close_price::text AS close, trim_scale(candle.volume)::text AS volume, candle.trade_count AS trades,
    candle.is_final AS "isFinal", coalesce(judged.verdicts, '{}') AS verdicts, coalesce(judged.differences, '[]') AS differences
  FROM crypto.candles($1, $2, make_interval(mins => $3::int), $4) AS candle
  LEFT JOIN (
    SELECT window_start, jsonb_object_agg(verdict, minutes) AS verdicts, jsonb_agg(differences) AS differences
    FROM (
      SELECT date_bin(make_interval(mins => $3::int), found.window_start, TIMESTAMPTZ '2000-01-01Z') AS window_start,
        found.verdict, count(*) AS minutes,
        (array_agg(found.differences) FILTER (WHERE found.differences <> '[]'))[1] AS differences
      FROM crypto.reconciliations AS found
      LEFT JOIN crypto.crypto_prices_agg_1min AS bar USING (source, symbol, window_start)
      WHERE found.source = $1 AND found.symbol = $2 AND found.window_start >= $4
        AND (bar.finalized_at IS NULL OR bar.finalized_at <= found.checked_at)
      GROUP BY 1, 2
    ) AS counted
    GROUP BY window_start
  ) AS judged USING (window_start)
  ORDER BY 1`;

const holesSql = `
  SELECT source, symbol, first_id AS "firstId", last_id AS "lastId" FROM crypto.holes
  WHERE source = $1 AND symbol = $2
  ORDER BY first_id DESC
  LIMIT $3`;

interface CandleRow extends Omit<Candle, 'proof' | 'findings'> {
  readonly isFinal: boolean;
  readonly verdicts: BarEvidenceSummary['verdicts'];
  readonly differences: readonly (readonly Difference[] | null)[];
}

interface HoleRow {
  readonly source: string;
  readonly symbol: string;
  readonly firstId: unknown;
  readonly lastId: unknown;
}

/** Reads for the page; nothing is written. */
export function createDashboardData(pool: pg.Pool): DashboardData {
  const bars = createBarStore(pool);
  const book = createPostgresRuns(pool);
  return {
    overview: async () => {
      const [clock, series, living, newest] = await Promise.all([
        queryRows<{ at: Date }>(pool, 'SELECT clock_timestamp() AS at'),
        bars.freshness(),
        book.list({ live: true, limit: newestRuns }),
        book.list({ limit: newestRuns }),
      ]);
      const runs = [...new Map([...living, ...newest].map((run) => [run.runId, run])).values()];
      return { at: clock[0]?.at.getTime() ?? 0, series, runs: runs.slice(0, newestRuns) };
    },
    candles: (view) => readCandles(pool, view),
    holes: async ({ source, symbol }) =>
      (await queryRows<HoleRow>(pool, holesSql, [source, symbol, newestHoles])).map((row) => ({
        ...row,
        firstId: exactNumber(row.firstId, 'first_id'),
        lastId: exactNumber(row.lastId, 'last_id'),
      })),
  };
}

async function readCandles(pool: pg.Pool, { source, symbol, interval }: ChartView): Promise<Candle[]> {
  const { minutes, candles } = chartIntervals[interval];
  const [first] = await queryRows<{ since: Date }>(pool, firstShownSql, [source, symbol, minutes, candles]);
  if (first === undefined) return [];
  const rows = await queryRows<CandleRow>(pool, candlesSql, [source, symbol, minutes, first.since]);
  return rows.map(({ isFinal, verdicts, differences, ...candle }) => {
    const fields = differences.flatMap((found) => (found ?? []).map(({ field }) => field));
    return {
      ...candle,
      proof: proofOf({ source, isFinal, minutes, verdicts }),
      findings: findingsOf(verdicts, [...new Set(fields)]),
    };
  });
}
