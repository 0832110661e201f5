-- Sample rows to look at, where nothing has been collected yet: BTCUSDT and ETHUSDT of the source `sample`, from 10:00 to
-- 10:45 on 2024-08-08, UTC. Nobody has traded them. Nothing loads them by itself, and no dashboard shows them.
--   psql --host localhost --username crypto --dbname crypto --file scripts/seed_postgres.sql
-- The queries of scripts/queries_examples.sql answer with them once 'binance-spot' in them is 'sample'. To remove them:
--   psql --host localhost --username crypto --dbname crypto --set remove=yes --file scripts/seed_postgres.sql
-- Rerun: the same rows. They are counted by the functions that the streaming job calls, so every bar is final but the newest,
-- and one minute of ETHUSDT is quiet.
\set ON_ERROR_STOP on
\set QUIET on
BEGIN;

DELETE FROM crypto.crypto_prices_clean WHERE source = 'sample';
DELETE FROM crypto.crypto_prices_agg_1min WHERE source = 'sample';
DELETE FROM crypto.coverage WHERE source = 'sample';
DELETE FROM crypto.reconciliations WHERE source = 'sample'; -- of a `verify --source sample`

\if :{?remove}
COMMIT;
\echo the sample rows are removed
\quit
\endif

-- A trade every so many seconds; what looks like chance comes from the id, and is the same everywhere.
CREATE TEMPORARY TABLE sample_trade ON COMMIT DROP AS
WITH clocked AS (
  SELECT
    market.symbol,
    market.price,
    market.tick,
    row_number() OVER (PARTITION BY market.symbol ORDER BY clock) - 1          AS id,
    clock                                                                      AS event_timestamp
  FROM (VALUES ('BTCUSDT', 58000.00, 0.50, 4), ('ETHUSDT', 2500.00, 0.05, 10)) AS market (symbol, price, tick, seconds)
  CROSS JOIN LATERAL generate_series(
    TIMESTAMPTZ '2024-08-08 10:00:01Z', TIMESTAMPTZ '2024-08-08 10:44:59Z', make_interval(secs => market.seconds)
  ) AS clock
  WHERE NOT (market.symbol = 'ETHUSDT' AND date_trunc('minute', clock) = '2024-08-08 10:20Z')
),
chance AS (
  SELECT *, ('x' || left(md5(symbol || id), 6))::BIT(24)::INTEGER AS dice
  FROM clocked
)
SELECT
  symbol,
  id,
  event_timestamp,
  price + tick * sum(dice % 41 - 20) OVER (PARTITION BY symbol ORDER BY id)    AS price,
  0.001 * (1 + dice % 900)                                                     AS quantity,
  dice % 2 = 0                                                                 AS buyer_is_maker
FROM chance;

DO $$
DECLARE
  wanted JSONB := (
    SELECT jsonb_agg(jsonb_build_object('source', 'sample', 'symbol', counted.symbol, 'ids', counted.ids))
    FROM (SELECT symbol, range_agg(int8range(id, id, '[]')) AS ids FROM sample_trade GROUP BY symbol) AS counted
  );
  partials JSONB := (
    SELECT jsonb_agg(minute)
    FROM (
      SELECT
        'sample'                                                               AS source,
        symbol,
        date_trunc('minute', event_timestamp)                                  AS window_start,
        (array_agg(price ORDER BY id))[1]                                      AS open_price,
        max(price)                                                             AS high_price,
        min(price)                                                             AS low_price,
        (array_agg(price ORDER BY id DESC))[1]                                 AS close_price,
        sum(quantity)                                                          AS volume,
        sum(price * quantity)                                                  AS quote_volume,
        coalesce(sum(quantity) FILTER (WHERE NOT buyer_is_maker), 0)           AS taker_buy_volume,
        coalesce(sum(price * quantity) FILTER (WHERE NOT buyer_is_maker), 0)   AS taker_buy_quote_volume,
        count(*)                                                               AS trade_count,
        count(*) FILTER (WHERE NOT buyer_is_maker)                             AS taker_buy_trade_count,
        min(id)                                                                AS first_agg_trade_id,
        max(id)                                                                AS last_agg_trade_id,
        min(id)                                                                AS first_trade_id,
        max(id)                                                                AS last_trade_id
      FROM sample_trade
      GROUP BY symbol, date_trunc('minute', event_timestamp)
    ) AS minute
  );
BEGIN
  PERFORM crypto.ensure_day('2024-08-08');
  PERFORM crypto.lock_coverage(wanted);
  INSERT INTO crypto.crypto_prices_clean (
    source, symbol, agg_trade_id, first_trade_id, last_trade_id, event_time, event_timestamp, price, quantity, buyer_is_maker
  )
  SELECT
    'sample', symbol, id, id, id, 1000 * extract(EPOCH FROM event_timestamp), event_timestamp, price, quantity, buyer_is_maker
  FROM sample_trade;
  PERFORM crypto.merge_bars(partials);
  PERFORM crypto.cover(wanted);
  PERFORM crypto.finalize_bars(wanted);
END
$$;

COMMIT;

SELECT symbol, count(*) AS minutes, count(*) FILTER (WHERE is_final) AS final_or_quiet, sum(trade_count) AS trades
FROM crypto.candles_1min
WHERE source = 'sample'
GROUP BY symbol
ORDER BY symbol;
