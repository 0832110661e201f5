-- Questions that people ask of the warehouse, one query each: copy one into psql, Grafana or DuckDB's PostgreSQL reader, and
-- put your symbol and your day into it. All times are UTC; `crypto.candles_…` are the bars for people (with quiet minutes),
-- `crypto.crypto_prices_clean` are the single trades (as long as `prune` leaves them).
--   psql --host localhost --username crypto --dbname crypto --file scripts/queries_examples.sql

-- What is the last price of each symbol, and of when is it?
SELECT known.source, known.symbol, newest.close_price AS last_price, newest.window_start AS of_minute
FROM crypto.coverage AS known
CROSS JOIN LATERAL (
  SELECT bar.close_price, bar.window_start
  FROM crypto.crypto_prices_agg_1min AS bar
  WHERE bar.source = known.source AND bar.symbol = known.symbol
  ORDER BY bar.window_start DESC
  LIMIT 1
) AS newest
ORDER BY known.source, known.symbol;

-- What was the range of the day: open, high, low, close, and the change in percent?
SELECT
  symbol,
  open_price,
  high_price,
  low_price,
  close_price,
  round(100 * (close_price - open_price) / open_price, 2) AS change_percent,
  is_final
FROM crypto.candles_1d
WHERE source = 'binance-spot' AND symbol = 'BTCUSDT' AND window_start = '2024-08-08Z';

-- What was the volume-weighted average price (VWAP) of each hour?
SELECT window_start, round(quote_volume / nullif(volume, 0), 8) AS vwap, volume
FROM crypto.candles('binance-spot', 'BTCUSDT', '1 hour', '2024-08-08Z', '2024-08-09Z')
ORDER BY window_start;

-- Which minutes moved the price most?
SELECT
  window_start,
  open_price,
  close_price,
  round(100 * (close_price - open_price) / open_price, 4) AS change_percent
FROM crypto.minutes_between('binance-spot', 'BTCUSDT', '2024-08-08Z', '2024-08-09Z')
ORDER BY abs(close_price - open_price) / open_price DESC, window_start
LIMIT 5;

-- Which minutes were the busiest?
SELECT window_start, trade_count, quote_volume
FROM crypto.minutes_between('binance-spot', 'BTCUSDT', '2024-08-08Z', '2024-08-09Z')
ORDER BY trade_count DESC, window_start
LIMIT 5;

-- How many trades come in a minute, on average and at most?
SELECT symbol, round(avg(trade_count), 1) AS average_trades, max(trade_count) AS most_trades, count(*) AS minutes
FROM crypto.candles_1min
WHERE source = 'binance-spot' AND window_start >= '2024-08-08Z' AND window_start < '2024-08-09Z'
GROUP BY symbol
ORDER BY symbol;

-- Which minutes were quiet: nothing was traded, and that is proven?
SELECT window_start, close_price
FROM crypto.minutes_between('binance-spot', 'BTCUSDT', '2024-08-08Z', '2024-08-09Z')
WHERE trade_count = 0
ORDER BY window_start;

-- Which share of the volume was bought by takers (0.5: as much was bought as sold into waiting orders)?
SELECT window_start, round(taker_buy_volume / nullif(volume, 0), 4) AS taker_buy_share
FROM crypto.candles('binance-spot', 'BTCUSDT', '1 hour', '2024-08-08Z', '2024-08-09Z')
ORDER BY window_start;

-- How large is a trade on average, in the quote currency?
SELECT symbol, round(sum(quote_volume) / nullif(sum(trade_count), 0), 2) AS average_trade
FROM crypto.candles_1h
WHERE source = 'binance-spot' AND window_start >= '2024-08-08Z' AND window_start < '2024-08-09Z'
GROUP BY symbol
ORDER BY symbol;

-- Which single trades were the largest?
SELECT agg_trade_id, event_timestamp, price, quantity, price * quantity AS quote_quantity
FROM crypto.crypto_prices_clean
WHERE source = 'binance-spot'
  AND symbol = 'BTCUSDT'
  AND event_timestamp >= '2024-08-08Z'
  AND event_timestamp < '2024-08-09Z'
ORDER BY price * quantity DESC, agg_trade_id
LIMIT 5;

-- How much did each hour move, and in which steps from hour to hour (returns in percent)?
SELECT
  window_start,
  close_price,
  round(100 * (close_price / lag(close_price) OVER (ORDER BY window_start) - 1), 4) AS return_percent
FROM crypto.candles('binance-spot', 'BTCUSDT', '1 hour', '2024-08-08Z', '2024-08-09Z')
ORDER BY window_start;

-- How complete is each day: minutes of bars, of them final, and proven quiet ones?
SELECT
  source,
  symbol,
  date_trunc('day', window_start, 'UTC') AS day,
  count(*) FILTER (WHERE trade_count > 0) AS bars,
  count(*) FILTER (WHERE trade_count > 0 AND is_final) AS final_bars,
  count(*) FILTER (WHERE trade_count = 0) AS quiet_minutes,
  1440 - count(*) AS unknown_minutes
FROM crypto.candles_1min
WHERE window_start >= '2024-08-08Z' AND window_start < '2024-08-09Z'
GROUP BY source, symbol, day
ORDER BY source, symbol, day;

-- Which trades are missing, and between which minutes do they lie?
SELECT hole.symbol, hole.first_id, hole.last_id, before.window_start AS after_minute, after.window_start AS before_minute
FROM crypto.holes AS hole
LEFT JOIN LATERAL (
  SELECT max(bar.window_start) AS window_start
  FROM crypto.crypto_prices_agg_1min AS bar
  WHERE bar.source = hole.source AND bar.symbol = hole.symbol AND bar.first_agg_trade_id < hole.first_id
) AS before ON true
LEFT JOIN LATERAL (
  SELECT min(bar.window_start) AS window_start
  FROM crypto.crypto_prices_agg_1min AS bar
  WHERE bar.source = hole.source AND bar.symbol = hole.symbol AND bar.last_agg_trade_id > hole.last_id
) AS after ON true
ORDER BY hole.symbol, hole.first_id;

-- How new are the data of each symbol, and how many trades are missing?
SELECT source, symbol, newest_trade_time, newest_final_window_start, holes, missing_ids
FROM crypto.freshness
ORDER BY source, symbol;

-- Which minutes took longest from their end until they were final?
SELECT symbol, window_start, finalized_at - window_end AS until_final
FROM crypto.crypto_prices_agg_1min
WHERE finalized_at IS NOT NULL AND window_start >= '2024-08-08Z' AND window_start < '2024-08-09Z'
ORDER BY until_final DESC, symbol, window_start
LIMIT 5;

-- Which trades contradict what was counted?
SELECT symbol, agg_trade_id, reason, price, quantity, seen_at
FROM crypto.conflicts
ORDER BY seen_at DESC, symbol, agg_trade_id
LIMIT 20;

-- How many messages did the job count, repeat, reject in each hour?
SELECT
  date_trunc('hour', committed_at, 'UTC') AS hour,
  sum(counted) AS counted,
  sum(repeated) AS repeated,
  sum(conflicted) AS conflicted,
  sum(rejected) AS rejected
FROM crypto.batches
WHERE query = 'hot'
GROUP BY hour
ORDER BY hour;
