-- The counting rule: a trade counts if and only if its id is not yet covered. These functions are called, in this order and
-- in one READ COMMITTED transaction, by the hot query of the streaming job:
--   lock_coverage → final_minutes → (trades are copied) → merge_bars → cover → finalize_bars
-- `wanted` is a JSON array of {source, symbol, ids}, ids the text of an INT8MULTIRANGE.
-- `partials` is a JSON array of partial bars; amounts and times are texts, so that nothing passes through floating point.

-- Makes the day's partition of the trades where it is missing. The advisory lock keeps two drivers from making it at once.
CREATE FUNCTION crypto.ensure_day(day DATE) RETURNS VOID
LANGUAGE plpgsql AS $$
DECLARE
  partition_name TEXT := 'crypto_prices_clean_' || to_char(day, 'YYYYMMDD');
BEGIN
  IF to_regclass('crypto.' || partition_name) IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('crypto.ensure_day'));
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS crypto.%I PARTITION OF crypto.crypto_prices_clean FOR VALUES FROM (%L) TO (%L)',
    partition_name,
    day::TEXT || ' 00:00:00+00',
    (day + 1)::TEXT || ' 00:00:00+00'
  );
END
$$;

-- Makes missing coverage rows and locks all that are wanted, both in sorted order, so that two drivers never wait in a circle.
-- Returns, per symbol, which of the wanted ids are covered already; symbols with none are left out.
CREATE FUNCTION crypto.lock_coverage(wanted JSONB) RETURNS TABLE (source TEXT, symbol TEXT, ids INT8MULTIRANGE)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crypto.coverage (source, symbol)
  SELECT want.source, want.symbol
  FROM jsonb_to_recordset(wanted) AS want (source TEXT, symbol TEXT)
  ORDER BY want.source, want.symbol
  ON CONFLICT DO NOTHING;

  PERFORM 1
  FROM crypto.coverage AS held
  WHERE (held.source, held.symbol) IN (
    SELECT want.source, want.symbol FROM jsonb_to_recordset(wanted) AS want (source TEXT, symbol TEXT)
  )
  ORDER BY held.source, held.symbol
  FOR UPDATE;

  RETURN QUERY
  SELECT held.source, held.symbol, held.ids * want.ids
  FROM jsonb_to_recordset(wanted) AS want (source TEXT, symbol TEXT, ids INT8MULTIRANGE)
  JOIN crypto.coverage AS held ON held.source = want.source AND held.symbol = want.symbol
  WHERE held.ids && want.ids;
END
$$;

-- Which of these minutes are final already, as the texts they came with. By the exchange's numbering no uncovered trade can
-- belong to one: whoever sends it contradicts what was proven.
CREATE FUNCTION crypto.final_minutes(partials JSONB) RETURNS TABLE (source TEXT, symbol TEXT, window_start TEXT)
LANGUAGE sql AS $$
  SELECT DISTINCT part.source, part.symbol, part.window_start
  FROM jsonb_to_recordset(partials) AS part (source TEXT, symbol TEXT, window_start TEXT)
  JOIN crypto.crypto_prices_agg_1min AS bar
    ON bar.source = part.source AND bar.symbol = part.symbol AND bar.window_start = part.window_start::TIMESTAMPTZ
  WHERE bar.finalized_at IS NOT NULL
$$;

-- Merges partial bars into the minutes: open by the lower id, close by the higher id, greatest, least, sums.
CREATE FUNCTION crypto.merge_bars(partials JSONB) RETURNS VOID
LANGUAGE sql AS $$
  INSERT INTO crypto.crypto_prices_agg_1min AS bar (
    source, symbol, window_start, window_end,
    open_price, high_price, low_price, close_price,
    volume, quote_volume, taker_buy_volume, taker_buy_quote_volume,
    trade_count, taker_buy_trade_count,
    first_agg_trade_id, last_agg_trade_id, first_trade_id, last_trade_id
  )
  SELECT
    source,
    symbol,
    window_start,
    window_start + INTERVAL '1 minute',
    (array_agg(open_price ORDER BY first_agg_trade_id))[1],
    max(high_price),
    min(low_price),
    (array_agg(close_price ORDER BY last_agg_trade_id DESC))[1],
    sum(volume),
    sum(quote_volume),
    sum(taker_buy_volume),
    sum(taker_buy_quote_volume),
    sum(trade_count),
    sum(taker_buy_trade_count),
    min(first_agg_trade_id),
    max(last_agg_trade_id),
    min(first_trade_id),
    max(last_trade_id)
  FROM jsonb_to_recordset(partials) AS part (
    source TEXT, symbol TEXT, window_start TIMESTAMPTZ,
    open_price NUMERIC, high_price NUMERIC, low_price NUMERIC, close_price NUMERIC,
    volume NUMERIC, quote_volume NUMERIC, taker_buy_volume NUMERIC, taker_buy_quote_volume NUMERIC,
    trade_count BIGINT, taker_buy_trade_count BIGINT,
    first_agg_trade_id BIGINT, last_agg_trade_id BIGINT, first_trade_id BIGINT, last_trade_id BIGINT
  )
  GROUP BY source, symbol, window_start
  ON CONFLICT (source, symbol, window_start) DO UPDATE SET
    open_price = CASE WHEN EXCLUDED.first_agg_trade_id < bar.first_agg_trade_id
                      THEN EXCLUDED.open_price ELSE bar.open_price END,
    close_price = CASE WHEN EXCLUDED.last_agg_trade_id > bar.last_agg_trade_id
                       THEN EXCLUDED.close_price ELSE bar.close_price END,
    high_price = greatest(bar.high_price, EXCLUDED.high_price),
    low_price = least(bar.low_price, EXCLUDED.low_price),
    volume = bar.volume + EXCLUDED.volume,
    quote_volume = bar.quote_volume + EXCLUDED.quote_volume,
    taker_buy_volume = bar.taker_buy_volume + EXCLUDED.taker_buy_volume,
    taker_buy_quote_volume = bar.taker_buy_quote_volume + EXCLUDED.taker_buy_quote_volume,
    trade_count = bar.trade_count + EXCLUDED.trade_count,
    taker_buy_trade_count = bar.taker_buy_trade_count + EXCLUDED.taker_buy_trade_count,
    first_agg_trade_id = least(bar.first_agg_trade_id, EXCLUDED.first_agg_trade_id),
    last_agg_trade_id = greatest(bar.last_agg_trade_id, EXCLUDED.last_agg_trade_id),
    first_trade_id = least(bar.first_trade_id, EXCLUDED.first_trade_id),
    last_trade_id = greatest(bar.last_trade_id, EXCLUDED.last_trade_id),
    updated_at = now()
$$;

-- Adds the ids to the coverage. Called under the lock, with ids that are not covered yet.
CREATE FUNCTION crypto.cover(wanted JSONB) RETURNS VOID
LANGUAGE sql AS $$
  UPDATE crypto.coverage AS held
  SET ids = held.ids + want.ids
  FROM jsonb_to_recordset(wanted) AS want (source TEXT, symbol TEXT, ids INT8MULTIRANGE)
  WHERE held.source = want.source AND held.symbol = want.symbol
$$;

-- Finalizes what has become provable: a bar is final when one single range of the coverage reaches from the last counted
-- trade of an earlier minute to the first counted trade of a later minute. Only bars that touch a range that has grown are
-- tried. A first bar needs ids from 0 on. Bars whose ids interleave with a neighbour's are disordered and stay as they are.
CREATE FUNCTION crypto.finalize_bars(wanted JSONB) RETURNS BIGINT
LANGUAGE sql AS $$
  WITH grown AS (
    SELECT held.source, held.symbol, held.ids, range_agg(covered) AS ranges
    FROM jsonb_to_recordset(wanted) AS want (source TEXT, symbol TEXT, ids INT8MULTIRANGE)
    JOIN crypto.coverage AS held ON held.source = want.source AND held.symbol = want.symbol
    CROSS JOIN LATERAL unnest(held.ids) AS covered
    WHERE covered && want.ids
    GROUP BY held.source, held.symbol, held.ids
  ),
  proven AS (
    SELECT bar.source, bar.symbol, bar.window_start
    FROM grown
    JOIN crypto.crypto_prices_agg_1min AS bar
      ON bar.source = grown.source
     AND bar.symbol = grown.symbol
     AND bar.finalized_at IS NULL
     AND grown.ranges && int8range(bar.first_agg_trade_id, bar.last_agg_trade_id, '[]')
    LEFT JOIN LATERAL (
      SELECT earlier.last_agg_trade_id AS id
      FROM crypto.crypto_prices_agg_1min AS earlier
      WHERE earlier.source = bar.source AND earlier.symbol = bar.symbol AND earlier.window_start < bar.window_start
      ORDER BY earlier.window_start DESC
      LIMIT 1
    ) AS before ON true
    JOIN LATERAL (
      SELECT later.first_agg_trade_id AS id
      FROM crypto.crypto_prices_agg_1min AS later
      WHERE later.source = bar.source AND later.symbol = bar.symbol AND later.window_start > bar.window_start
      ORDER BY later.window_start
      LIMIT 1
    ) AS after ON true
    WHERE coalesce(before.id, -1) < bar.first_agg_trade_id
      AND bar.last_agg_trade_id < after.id
      -- A multirange contains a range only if a single one of its ranges does.
      AND grown.ids @> int8range(coalesce(before.id, 0), after.id, '[]')
  ),
  finalized AS (
    UPDATE crypto.crypto_prices_agg_1min AS bar
    SET finalized_at = clock_timestamp()
    FROM proven
    WHERE bar.source = proven.source AND bar.symbol = proven.symbol AND bar.window_start = proven.window_start
    RETURNING 1
  )
  SELECT count(*) FROM finalized
$$;

-- The last guard: whatever would change a final bar is a bug, and must not pass in silence.
CREATE FUNCTION crypto.refuse_change_of_final_bar() RETURNS TRIGGER
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'bar % % % is final since % and cannot change', OLD.source, OLD.symbol, OLD.window_start, OLD.finalized_at;
END
$$;

CREATE TRIGGER final_bars_do_not_change
BEFORE UPDATE ON crypto.crypto_prices_agg_1min
FOR EACH ROW WHEN (OLD.finalized_at IS NOT NULL)
EXECUTE FUNCTION crypto.refuse_change_of_final_bar();
