import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { choice, dashboard } from './dashboard.js';
import { lines, noneIsGood, numbers, rows } from './panels.js';
import { ofSource, ofSymbols } from './query.js';

const ageSql = `
  SELECT now() AS "time", symbol AS metric, extract(EPOCH FROM now() - newest_trade_time)::float8 AS age
  FROM crypto.freshness
  WHERE ${ofSymbols()}
  ORDER BY symbol`;

const holesSql = `
  SELECT now() AS "time", sum(holes)::float8 AS holes, sum(missing_ids)::float8 AS "missing ids"
  FROM crypto.freshness
  WHERE ${ofSource()}`;

const lagSql = `
  SELECT now() AS "time", query.key AS metric, (query.value ->> 'behind')::float8 AS behind
  FROM crypto.job_runs AS run
  CROSS JOIN LATERAL jsonb_each(run.progress) AS query
  WHERE run.job = 'streaming' AND run.state = 'RUNNING' AND run.parameters ->> 'topic' = \${topic:sqlstring}
  ORDER BY 2`;

const rateSql = `
  SELECT
    $__timeGroup(window_start, $__interval) AS "time",
    symbol AS metric,
    sum(last_agg_trade_id - first_agg_trade_id + 1)::float8 / (60 * count(*)) AS "trades/s"
  FROM crypto.crypto_prices_agg_1min
  WHERE $__timeFilter(window_start) AND ${ofSymbols()}
  GROUP BY 1, 2
  ORDER BY 1, 2`;

const batchesOf = (columns: string): string => `
  SELECT $__timeGroup(committed_at, $__interval) AS "time", ${columns}
  FROM crypto.batches
  WHERE $__timeFilter(committed_at) AND topic = \${topic:sqlstring} AND query = 'hot'
  GROUP BY 1
  ORDER BY 1`;

const commitAgeSql = batchesOf(`
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(EPOCH FROM committed_at - newest_event_time)) AS "p50",
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(EPOCH FROM committed_at - newest_event_time)) AS "p95"`);

const repeatsSql = batchesOf(`
    sum(repeated)::float8 AS repeated,
    sum(rejected)::float8 AS rejected,
    sum(conflicted)::float8 AS conflicted`);

const batchTimeSql = `
  SELECT
    $__timeGroup(committed_at, $__interval) AS "time",
    query AS metric,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(EPOCH FROM pause)) AS seconds
  FROM (
    SELECT query, committed_at, committed_at - lag(committed_at) OVER (PARTITION BY run_id, query ORDER BY id) AS pause
    FROM crypto.batches
    WHERE $__timeFilter(committed_at) AND topic = \${topic:sqlstring}
  ) AS batch
  WHERE pause IS NOT NULL
  GROUP BY 1, 2
  ORDER BY 1, 2`;

const delaySql = `
  SELECT
    $__timeGroup(window_start, $__interval) AS "time",
    symbol AS metric,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(EPOCH FROM finalized_at - window_end)) AS delay
  FROM crypto.crypto_prices_agg_1min
  WHERE $__timeFilter(window_start) AND finalized_at IS NOT NULL AND ${ofSymbols()}
  GROUP BY 1, 2
  ORDER BY 1, 2`;

const runsSql = `
  SELECT
    created_at AS submitted,
    job,
    run_id AS run,
    state,
    submitted_by AS "by",
    ended_at - started_at AS lasted,
    restarts,
    coalesce(error, last_error) AS error
  FROM crypto.job_runs
  ORDER BY created_at DESC
  LIMIT 50`;

/** How the pipeline is. Batches and runs know a topic, not a source. */
export const pipeline = (): Dashboard =>
  dashboard({
    ...{ uid: 'cryptopipe-pipeline', title: 'Pipeline', from: 'now-1h', refresh: '5s' },
    description: 'How old, how fast and how whole what arrives is, and what runs.',
  })
    .withVariable(
      choice({
        ...{ name: 'topic', label: 'Topic' },
        sql: 'SELECT DISTINCT topic FROM crypto.committed_offsets ORDER BY topic',
      }),
    )
    .withPanel(
      numbers({
        ...{ id: 1, title: 'Age of the newest trade', width: 12, unit: 's', decimals: 1, sql: ageSql },
        description: 'Since the exchange made it. A quiet symbol has old trades and is well.',
        steps: [
          [null, 'green'],
          [30, 'orange'],
          [120, 'red'],
        ],
      }),
    )
    .withPanel(
      numbers({
        ...{ id: 2, title: 'Kafka lag', width: 6, unit: 'short', sql: lagSql },
        description:
          'Messages of the partition that is furthest behind, as each query of the running job last said.',
        steps: [
          [null, 'green'],
          [10_000, 'orange'],
          [200_000, 'red'],
        ],
      }),
    )
    .withPanel(
      numbers({
        ...{ id: 3, title: 'Holes', width: 6, unit: 'short', steps: noneIsGood, sql: holesSql },
        description:
          'Ranges of trade ids that are missing, and how many ids; `cryptopipe heal` fetches them.',
      }),
    )
    .withPanel(
      lines({
        ...{ id: 4, title: 'Trades a second', width: 12, unit: 'short', sql: rateSql },
        description: 'Aggregate trades, by the time at which they happened.',
      }),
    )
    .withPanel(
      lines({
        ...{ id: 5, title: 'Age at commit', width: 12, unit: 's', sql: commitAgeSql },
        description: "How old a hot batch's newest trade was when the batch was committed.",
      }),
    )
    .withPanel(
      lines({
        ...{ id: 6, title: 'From one batch to the next, p95', width: 12, unit: 's', sql: batchTimeSql },
        description: 'Between two commits of one query of one run.',
      }),
    )
    .withPanel(
      lines({
        ...{ id: 7, title: 'Repeated, rejected, conflicted', width: 12, unit: 'short', bars: true },
        description: 'Messages that counted nothing: seen before, unreadable, or against what was counted.',
        sql: repeatsSql,
      }),
    )
    .withPanel(
      lines({
        ...{ id: 8, title: "From a minute's end to its final bar, p95", width: 12, unit: 's', sql: delaySql },
        description: 'A bar is final when the first trade of a later minute has been counted.',
      }),
    )
    .withPanel(
      rows({
        ...{ id: 9, title: 'Runs', width: 12, sql: runsSql },
        description: 'The newest 50; `cryptopipe runs` holds them against Spark.',
      }),
    )
    .build();
