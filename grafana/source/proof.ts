import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from './dashboard.js';
import { lines, noneIsGood, numbers, rows } from './panels.js';
import { ofSource, ofSymbols } from './query.js';

const equalSql = `
  SELECT
    date_trunc('day', window_start, 'UTC') AS "time",
    symbol AS metric,
    avg((verdict IN ('equal', 'equal (quote cut)'))::INTEGER)::float8 AS equal
  FROM crypto.reconciliations
  WHERE $__timeFilter(window_start) AND is_compared AND ${ofSymbols()}
  GROUP BY 1, 2
  ORDER BY 1, 2`;

const verdictsSql = `
  SELECT date_trunc('day', window_start, 'UTC') AS "time", verdict AS metric, count(*)::float8 AS minutes
  FROM crypto.reconciliations
  WHERE $__timeFilter(window_start) AND ${ofSymbols()}
  GROUP BY 1, 2
  ORDER BY 1, 2`;

const finalSql = `
  SELECT
    date_trunc('day', window_start, 'UTC') AS "time",
    symbol AS metric,
    count(finalized_at)::float8 / count(*) AS final
  FROM crypto.crypto_prices_agg_1min
  WHERE $__timeFilter(window_start) AND ${ofSymbols()}
  GROUP BY 1, 2
  ORDER BY 1, 2`;

const countsSql = `
  SELECT
    now() AS "time",
    (SELECT count(*) FROM crypto.holes WHERE ${ofSource()})::float8 AS holes,
    (
      SELECT count(*) FROM crypto.reconciliations
      WHERE verdict IN ('hole', 'raw gap', 'disordered', 'unproven', 'different') AND ${ofSource()}
    )::float8 AS "minutes not as the exchange's",
    (SELECT count(*) FROM crypto.conflicts WHERE ${ofSource()})::float8 AS conflicts`;

const holesSql = `
  SELECT symbol, first_id AS "first id", last_id AS "last id", last_id - first_id + 1 AS ids
  FROM crypto.holes
  WHERE ${ofSymbols()}
  ORDER BY symbol, first_id
  LIMIT 200`;

const differencesSql = `
  SELECT
    window_start AS minute,
    symbol,
    verdict,
    differences::TEXT AS differences,
    missing_ids::TEXT AS "missing ids",
    checked_at AS checked
  FROM crypto.reconciliations
  WHERE verdict IN ('hole', 'raw gap', 'disordered', 'unproven', 'different')
    AND $__timeFilter(window_start) AND ${ofSymbols()}
  ORDER BY window_start DESC, symbol
  LIMIT 200`;

const checksSql = `
  SELECT DISTINCT ON (check_name)
    check_name AS check, severity, violations, since, until, checked_at AS checked, meaning
  FROM crypto.quality_results
  ORDER BY check_name, checked_at DESC`;

/** Whether the data are what the exchange has. Quality checks look at the whole lake, of all sources. */
export const proof = (): Dashboard =>
  dashboard({
    ...{ uid: 'cryptopipe-proof', title: 'Proof', from: 'now-30d', refresh: '1m' },
    description: "Bars against the exchange's own, ids against each other, the lake against both.",
  })
    .withPanel(
      numbers({
        ...{ id: 1, title: 'Open questions', width: 24, unit: 'short', steps: noneIsGood, sql: countsSql },
        description: 'Ranges of missing ids, minutes whose newest verdict is bad, and contradicting trades.',
      }),
    )
    .withPanel(
      lines({
        ...{ id: 2, title: 'Share of equal bars', width: 12, unit: 'percentunit', max: 1, sql: equalSql },
        description: "Of the bars that `cryptopipe verify` held against the exchange's, by UTC day.",
      }),
    )
    .withPanel(
      lines({
        ...{ id: 3, title: 'Verdicts', width: 12, unit: 'short', bars: true, sql: verdictsSql },
        description: 'Minutes by the newest verdict on each, by UTC day.',
      }),
    )
    .withPanel(
      lines({
        ...{ id: 4, title: 'Share of final bars', width: 12, unit: 'percentunit', max: 1, sql: finalSql },
        description: 'Bars that their trade ids prove complete, by UTC day.',
      }),
    )
    .withPanel(
      rows({
        ...{ id: 5, title: 'Holes', width: 12, sql: holesSql },
        description: 'Both ids belong to the hole. `cryptopipe heal` fetches them.',
      }),
    )
    .withPanel(
      rows({
        ...{ id: 6, title: 'Differences', width: 12, sql: differencesSql },
        description: 'Minutes with a bad verdict: which field, by how much, or which ids are missing.',
      }),
    )
    .withPanel(
      rows({
        ...{
          id: 7,
          title: 'Checks of the lake',
          width: 12,
          sql: checksSql,
          colors: { violations: noneIsGood },
        },
        description: 'The newest result of each; `cryptopipe submit quality`.',
      }),
    )
    .build();
