-- Bars for people and dashboards: every minute, longer bars, holes and freshness. Nothing is stored here: all of it is read
-- from the bars and the coverage at the moment of asking. Windows are cut in UTC; the beginning belongs to a window, the
-- end to the next one.

-- Whether a source's ids are slots of time at which a price was asked for: the name ends in `-ticker-` and the interval in ms.
CREATE FUNCTION crypto.is_ticker(source TEXT) RETURNS BOOLEAN
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT source ~ '-ticker-[0-9]+$'
$$;

-- The minutes of one symbol that start in [since, until): its bars, and between two of them the quiet minutes as flat bars at
-- the price before. A quiet minute is there only when it is proven: one single range of the coverage reaches from the last
-- trade of the bar before it to the first trade of the bar after it. Else nobody knows, and no bar is made up. A ticker's
-- minute without a sample was missed, never quiet.
-- This is a plain query on purpose, so that PostgreSQL puts it in place of the call and what is asked of the result reaches
-- the index of the bars. Gaps are searched in the index alone.
CREATE FUNCTION crypto.minutes_between(source TEXT, symbol TEXT, since TIMESTAMPTZ, until TIMESTAMPTZ)
RETURNS TABLE (
  window_start TIMESTAMPTZ, window_end TIMESTAMPTZ,
  open_price NUMERIC, high_price NUMERIC, low_price NUMERIC, close_price NUMERIC,
  volume NUMERIC, quote_volume NUMERIC, taker_buy_volume NUMERIC, taker_buy_quote_volume NUMERIC,
  trade_count BIGINT, taker_buy_trade_count BIGINT, is_final BOOLEAN
)
LANGUAGE sql STABLE AS $$
  SELECT
    bar.window_start, bar.window_end,
    bar.open_price, bar.high_price, bar.low_price, bar.close_price,
    bar.volume, bar.quote_volume, bar.taker_buy_volume, bar.taker_buy_quote_volume,
    bar.trade_count, bar.taker_buy_trade_count, bar.finalized_at IS NOT NULL
  FROM crypto.crypto_prices_agg_1min AS bar
  WHERE bar.source = minutes_between.source
    AND bar.symbol = minutes_between.symbol
    AND bar.window_start >= minutes_between.since
    AND bar.window_start < minutes_between.until
  UNION ALL
  SELECT
    quiet.minute, quiet.minute + INTERVAL '1 minute',
    before.close_price, before.close_price, before.close_price, before.close_price,
    0, 0, 0, 0,
    0, 0, true
  FROM (
    SELECT
      bar.window_start,
      lead(bar.window_start) OVER (ORDER BY bar.window_start) AS next_window_start
    FROM crypto.crypto_prices_agg_1min AS bar
    WHERE bar.source = minutes_between.source
      AND bar.symbol = minutes_between.symbol
      AND NOT crypto.is_ticker(minutes_between.source)
      -- The bars right before and right after the range prove its first and its last minutes.
      AND bar.window_start >= coalesce(
        (
          SELECT max(earlier.window_start)
          FROM crypto.crypto_prices_agg_1min AS earlier
          WHERE earlier.source = minutes_between.source
            AND earlier.symbol = minutes_between.symbol
            AND earlier.window_start < minutes_between.since
        ),
        minutes_between.since
      )
      AND bar.window_start <= coalesce(
        (
          SELECT min(later.window_start)
          FROM crypto.crypto_prices_agg_1min AS later
          WHERE later.source = minutes_between.source
            AND later.symbol = minutes_between.symbol
            AND later.window_start >= minutes_between.until
        ),
        minutes_between.until
      )
  ) AS gap
  JOIN crypto.crypto_prices_agg_1min AS before
    ON before.source = minutes_between.source
   AND before.symbol = minutes_between.symbol
   AND before.window_start = gap.window_start
  JOIN crypto.crypto_prices_agg_1min AS after
    ON after.source = minutes_between.source
   AND after.symbol = minutes_between.symbol
   AND after.window_start = gap.next_window_start
  JOIN crypto.coverage AS held
    ON held.source = minutes_between.source
   AND held.symbol = minutes_between.symbol
   -- A multirange contains a range only if a single one of its ranges does. Ids that interleave prove nothing.
   AND before.last_agg_trade_id < after.first_agg_trade_id
   AND held.ids @> int8range(
     least(before.last_agg_trade_id, after.first_agg_trade_id),
     greatest(before.last_agg_trade_id, after.first_agg_trade_id),
     '[]'
   )
  CROSS JOIN LATERAL generate_series(
    greatest(before.window_end, date_trunc('minute', minutes_between.since)),
    least(gap.next_window_start, minutes_between.until) - INTERVAL '1 minute',
    INTERVAL '1 minute'
  ) AS quiet (minute)
  WHERE gap.next_window_start > gap.window_start + INTERVAL '1 minute'
    AND quiet.minute >= minutes_between.since
$$;

-- Bars of any length of whole minutes that divides a day (`INTERVAL '5 minutes'`, `'1 hour'`, `'1 day'`), exact, from the
-- minutes that start in [since, until): give whole windows. Final only if every minute of the window is final or proven quiet.
-- A quiet minute only carries a price on: it opens a window only where nothing was traded in all of it.
CREATE FUNCTION crypto.candles(
  source TEXT, symbol TEXT, width INTERVAL,
  since TIMESTAMPTZ DEFAULT '-infinity', until TIMESTAMPTZ DEFAULT 'infinity'
)
RETURNS TABLE (
  window_start TIMESTAMPTZ, window_end TIMESTAMPTZ,
  open_price NUMERIC, high_price NUMERIC, low_price NUMERIC, close_price NUMERIC,
  volume NUMERIC, quote_volume NUMERIC, taker_buy_volume NUMERIC, taker_buy_quote_volume NUMERIC,
  trade_count BIGINT, taker_buy_trade_count BIGINT, is_final BOOLEAN
)
LANGUAGE sql STABLE AS $$
  SELECT
    date_bin(candles.width, minute.window_start, '2000-01-01 00:00:00+00') AS window_start,
    date_bin(candles.width, minute.window_start, '2000-01-01 00:00:00+00') + candles.width,
    coalesce(
      (array_agg(minute.open_price ORDER BY minute.window_start) FILTER (WHERE minute.trade_count > 0))[1],
      (array_agg(minute.open_price ORDER BY minute.window_start))[1]
    ),
    coalesce(max(minute.high_price) FILTER (WHERE minute.trade_count > 0), max(minute.high_price)),
    coalesce(min(minute.low_price) FILTER (WHERE minute.trade_count > 0), min(minute.low_price)),
    (array_agg(minute.close_price ORDER BY minute.window_start DESC))[1],
    sum(minute.volume),
    sum(minute.quote_volume),
    sum(minute.taker_buy_volume),
    sum(minute.taker_buy_quote_volume),
    sum(minute.trade_count)::BIGINT,
    sum(minute.taker_buy_trade_count)::BIGINT,
    count(*) FILTER (WHERE minute.is_final) = extract(EPOCH FROM candles.width) / 60
  FROM crypto.minutes_between(candles.source, candles.symbol, candles.since, candles.until) AS minute
  GROUP BY 1, 2
$$;

CREATE VIEW crypto.candles_1min AS
SELECT known.source, known.symbol, candle.*
FROM crypto.coverage AS known
CROSS JOIN LATERAL crypto.minutes_between(known.source, known.symbol, '-infinity', 'infinity') AS candle;

CREATE VIEW crypto.candles_5min AS
SELECT known.source, known.symbol, candle.*
FROM crypto.coverage AS known
CROSS JOIN LATERAL crypto.candles(known.source, known.symbol, INTERVAL '5 minutes') AS candle;

CREATE VIEW crypto.candles_15min AS
SELECT known.source, known.symbol, candle.*
FROM crypto.coverage AS known
CROSS JOIN LATERAL crypto.candles(known.source, known.symbol, INTERVAL '15 minutes') AS candle;

CREATE VIEW crypto.candles_1h AS
SELECT known.source, known.symbol, candle.*
FROM crypto.coverage AS known
CROSS JOIN LATERAL crypto.candles(known.source, known.symbol, INTERVAL '1 hour') AS candle;

CREATE VIEW crypto.candles_1d AS
SELECT known.source, known.symbol, candle.*
FROM crypto.coverage AS known
CROSS JOIN LATERAL crypto.candles(known.source, known.symbol, INTERVAL '24 hours') AS candle;

-- Ids that are missing inside the coverage; both ends belong to the hole. A slot that a ticker missed cannot be fetched again:
-- it is no hole.
CREATE OR REPLACE VIEW crypto.holes AS
SELECT
  source,
  symbol,
  first_id,
  next_covered_id - 1 AS last_id
FROM (
  SELECT
    source,
    symbol,
    upper(covered)                                                               AS first_id,
    lead(lower(covered)) OVER (PARTITION BY source, symbol ORDER BY covered)     AS next_covered_id
  FROM crypto.coverage, unnest(ids) AS covered
  WHERE NOT crypto.is_ticker(source)
) AS gaps
WHERE next_covered_id IS NOT NULL;

-- How new the data of each symbol are. Where the trades of the newest minute were pruned, the beginning of that minute stands
-- in for the time of its last trade. A ticker has no holes.
CREATE OR REPLACE VIEW crypto.freshness AS
SELECT
  coverage.source,
  coverage.symbol,
  coalesce(newest.event_timestamp, newest_bar.window_start) AS newest_trade_time,
  final.window_start        AS newest_final_window_start,
  coalesce(missing.holes, 0) AS holes,
  coalesce(missing.ids, 0)   AS missing_ids
FROM crypto.coverage
LEFT JOIN LATERAL (
  SELECT trade.event_timestamp
  FROM crypto.crypto_prices_clean AS trade
  WHERE trade.source = coverage.source
    AND trade.symbol = coverage.symbol
    AND trade.agg_trade_id = upper(coverage.ids) - 1
  LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
  SELECT bar.window_start
  FROM crypto.crypto_prices_agg_1min AS bar
  WHERE bar.source = coverage.source
    AND bar.symbol = coverage.symbol
  ORDER BY bar.window_start DESC
  LIMIT 1
) AS newest_bar ON true
LEFT JOIN LATERAL (
  SELECT bar.window_start
  FROM crypto.crypto_prices_agg_1min AS bar
  WHERE bar.source = coverage.source
    AND bar.symbol = coverage.symbol
    AND bar.finalized_at IS NOT NULL
  ORDER BY bar.window_start DESC
  LIMIT 1
) AS final ON true
LEFT JOIN LATERAL (
  SELECT count(*) AS holes, sum(hole.last_id - hole.first_id + 1) AS ids
  FROM crypto.holes AS hole
  WHERE hole.source = coverage.source
    AND hole.symbol = coverage.symbol
) AS missing ON true;
