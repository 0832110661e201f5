import { CustomVariableBuilder, type Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from './dashboard.js';
import { candles, lines, numbers, rows } from './panels.js';
import { ofSource, ofSymbols } from './query.js';

/** Widths of a candle, as PostgreSQL reads an interval. */
const widths = ['1 minute', '5 minutes', '15 minutes', '1 hour', '1 day'];

const candlesSql = `
  SELECT
    window_start AS "time",
    open_price::float8 AS open,
    high_price::float8 AS high,
    low_price::float8 AS low,
    close_price::float8 AS close,
    volume::float8 AS volume,
    CASE WHEN NOT is_final THEN close_price::float8 END AS "not final"
  FROM crypto.candles(
    \${source:sqlstring}, \${symbol:sqlstring}, \${bar:sqlstring}::INTERVAL,
    date_bin(\${bar:sqlstring}::INTERVAL, $__timeFrom()::TIMESTAMPTZ, '2000-01-01 00:00:00+00'),
    $__timeTo()::TIMESTAMPTZ
  )
  WHERE \${source:sqlstring} <> 'sample'
  ORDER BY window_start`;

const lastPriceSql = `
  SELECT bar.window_start AS "time", bar.symbol AS metric, bar.close_price::float8 AS price
  FROM crypto.coverage AS known
  CROSS JOIN LATERAL (
    SELECT * FROM crypto.crypto_prices_agg_1min AS one
    WHERE one.source = known.source AND one.symbol = known.symbol
    ORDER BY one.window_start DESC
    LIMIT 60
  ) AS bar
  WHERE ${ofSymbols('known')}
  ORDER BY 1, 2`;

const daySql = `
  SELECT
    known.symbol,
    today.close_price::float8 AS "last price",
    100 * (today.close_price / today.open_price - 1)::float8 AS "day's change",
    today.high_price::float8 AS high,
    today.low_price::float8 AS low,
    today.volume::float8 AS volume,
    today.trade_count AS trades
  FROM crypto.coverage AS known
  CROSS JOIN LATERAL crypto.candles(
    known.source, known.symbol, INTERVAL '24 hours', date_trunc('day', now(), 'UTC'), 'infinity'
  ) AS today
  WHERE ${ofSource('known')}
  ORDER BY known.symbol`;

const turnoverSql = `
  SELECT $__timeGroup(window_start, $__interval) AS "time", symbol AS metric, sum(quote_volume)::float8 AS turnover
  FROM crypto.crypto_prices_agg_1min
  WHERE $__timeFilter(window_start) AND ${ofSymbols()}
  GROUP BY 1, 2
  ORDER BY 1, 2`;

/** What the market does. */
export const market = (): Dashboard =>
  dashboard({
    ...{ uid: 'cryptopipe-market', title: 'Market', from: 'now-6h', refresh: '5s' },
    description: 'Candles of proven minute bars; a dot marks a candle that is not final yet.',
  })
    .withVariable(
      new CustomVariableBuilder('bar')
        .label('Candle')
        .values(widths.join(','))
        .current({ text: widths[0] ?? '', value: widths[0] ?? '' }),
    )
    .withPanel(
      numbers({
        ...{
          id: 1,
          title: 'Last price',
          width: 24,
          unit: 'none',
          steps: [[null, 'text']],
          sql: lastPriceSql,
        },
        description: 'Close of the newest minute, with the hour before it.',
      }),
    )
    .withPanel(
      candles({
        ...{ id: 2, title: '$symbol', width: 12, height: 11, sql: candlesSql },
        description:
          'Open, high, low, close and volume. An orange dot: not final, so it may still change. Proven quiet minutes are flat.',
      }),
    )
    .withPanel(
      rows({
        ...{ id: 3, title: 'Today, UTC', width: 12, sql: daySql, units: { "day's change": 'percent' } },
        description: 'Since midnight UTC, of all symbols of the source.',
        colors: {
          "day's change": [
            [null, 'red'],
            [0, 'green'],
          ],
        },
      }),
    )
    .withPanel(
      lines({
        ...{ id: 4, title: 'Turnover', width: 12, unit: 'short', bars: true, sql: turnoverSql },
        description: 'In the quote asset.',
      }),
    )
    .build();
