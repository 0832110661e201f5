-- Bars from the lake: what the job rebuild-bars asks and does. Spark de-duplicates the trades of the lake and sums them; what may
-- be believed is decided here, for one symbol at a time:
--   `held`    every counted id that the lake has around the minutes
--   `minutes` a JSON array of {window_start, bar, ids, content, has_several_contents, before_id, after_id}. bar is a partial bar
--             as merge_bars takes it, null where nothing was traded. ids is the text of an INT8MULTIRANGE. content is the sum of
--             content_of(trade). before_id is the highest id of the lake's earlier minutes, after_id the lowest of its later
--             ones, null where there is none.
-- Neutralised rows count among the ids and in the content, not in the bar.

-- What a run of rebuild-bars found that was not equal, and the bar that stood there before.
CREATE TABLE crypto.rebuilt_minutes (
  run_id       TEXT           NOT NULL,
  source       TEXT           NOT NULL,
  symbol       TEXT           NOT NULL,
  window_start TIMESTAMPTZ    NOT NULL,
  -- equal: it differed at first and was equal under the lock, because somebody else had replaced it.
  verdict      TEXT           NOT NULL CHECK (verdict IN ('different', 'refused', 'replaced', 'equal')),
  reason       TEXT           CHECK (reason IN (
    'missing ids', 'uncounted ids', 'other content', 'partly pruned', 'several contents'
  )),
  missing_ids  INT8MULTIRANGE NOT NULL,
  -- [{"field", "warehouse", "lake"}], amounts as exact decimal texts.
  differences  JSONB          NOT NULL,
  bar_before   JSONB,
  checked_at   TIMESTAMPTZ    NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run_id, source, symbol, window_start),
  CHECK ((verdict = 'refused') = (reason IS NOT NULL))
);

-- 60 bits of a trade's content. Their sum does not depend on the order, and Spark computes the same one.
CREATE FUNCTION crypto.content_of(trade crypto.crypto_prices_clean) RETURNS NUMERIC
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ('x' || left(md5(concat_ws(
    ',',
    trade.agg_trade_id,
    trade.first_trade_id,
    trade.last_trade_id,
    trade.event_time,
    (trade.price * 100000000)::NUMERIC(20, 0),
    (trade.quantity * 100000000)::NUMERIC(20, 0),
    trade.buyer_is_maker::INTEGER
  )), 15))::BIT(60)::BIGINT::NUMERIC
$$;

-- Every bar field in which the two differ; an absent bar differs as a whole.
CREATE FUNCTION crypto.bar_differences(
  warehouse crypto.crypto_prices_agg_1min, lake crypto.crypto_prices_agg_1min
) RETURNS JSONB
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN (warehouse).window_start IS NULL AND (lake).window_start IS NULL THEN '[]'::JSONB
    WHEN (warehouse).window_start IS NULL THEN '[{"field": "bar", "warehouse": "missing", "lake": "there"}]'
    WHEN (lake).window_start IS NULL THEN '[{"field": "bar", "warehouse": "there", "lake": "nothing was traded"}]'
    ELSE (
      SELECT coalesce(jsonb_agg(
        jsonb_build_object('field', field.name, 'warehouse', ours.bar ->> field.name, 'lake', theirs.bar ->> field.name)
        ORDER BY field.position
      ), '[]')
      FROM (SELECT to_jsonb(warehouse) AS bar) AS ours
      CROSS JOIN (SELECT to_jsonb(lake) AS bar) AS theirs
      CROSS JOIN unnest(ARRAY[
        'window_end', 'open_price', 'high_price', 'low_price', 'close_price',
        'volume', 'quote_volume', 'taker_buy_volume', 'taker_buy_quote_volume',
        'trade_count', 'taker_buy_trade_count',
        'first_agg_trade_id', 'last_agg_trade_id', 'first_trade_id', 'last_trade_id'
      ]) WITH ORDINALITY AS field (name, position)
      WHERE ours.bar -> field.name IS DISTINCT FROM theirs.bar -> field.name
    )
  END
$$;

-- Holds the lake's minutes against the bars. Refused is a minute for which the lake does not hold every covered id, by content:
--   missing ids       ids were counted in it that the lake does not have; or covered ids that the lake does not have may lie in
--                     it: they are between the lake's ids of the minutes around it, and no counted trade tells their minute
--   uncounted ids     ids are held against it that nobody has counted
--   other content     the lake's trades are not the counted ones
--   partly pruned     of its trades some are counted in crypto_prices_clean and some are not there any more
--   several contents  the counted trades are pruned, and the lake has an id of it with several contents
-- Where ids and times are not in the same order, all ids that interleave must be in the lake, and all that the bar spans.
CREATE FUNCTION crypto.compare_minutes(source TEXT, symbol TEXT, held INT8MULTIRANGE, minutes JSONB)
RETURNS TABLE (
  window_start TIMESTAMPTZ, verdict TEXT, reason TEXT, missing_ids INT8MULTIRANGE, differences JSONB, bar_before JSONB
)
LANGUAGE sql AS $$
  WITH lake AS (
    SELECT
      part.window_start,
      part.ids,
      part.content,
      part.has_several_contents,
      jsonb_populate_record(
        NULL::crypto.crypto_prices_agg_1min,
        part.bar || jsonb_build_object('window_end', part.window_start + INTERVAL '1 minute')
      )                                                                               AS lake_bar,
      ours                                                                            AS warehouse_bar,
      -- Without a neighbour the minute reaches to the end of all ids: least and greatest pass over a null. What the bar
      -- says of its ids can only widen it.
      int8multirange(int8range(
        CASE WHEN part.before_id IS NOT NULL
             THEN least(part.before_id, lower(part.ids), part.after_id, ours.first_agg_trade_id) END,
        CASE WHEN part.after_id IS NOT NULL
             THEN greatest(part.after_id, upper(part.ids) - 1, part.before_id, ours.last_agg_trade_id) END,
        '[]'
      ))                                                                              AS around
    FROM jsonb_to_recordset(compare_minutes.minutes) AS part (
      window_start TIMESTAMPTZ, bar JSONB, ids INT8MULTIRANGE, content NUMERIC, has_several_contents BOOLEAN,
      before_id BIGINT, after_id BIGINT
    )
    LEFT JOIN crypto.crypto_prices_agg_1min AS ours
      ON ours.source = compare_minutes.source
     AND ours.symbol = compare_minutes.symbol
     AND ours.window_start = part.window_start
  ),
  counted AS (
    SELECT
      date_trunc('minute', trade.event_timestamp, 'UTC')                              AS window_start,
      range_agg(int8range(trade.agg_trade_id, trade.agg_trade_id, '[]'))              AS ids,
      sum(crypto.content_of(trade))                                                   AS content
    FROM crypto.crypto_prices_clean AS trade
    WHERE trade.source = compare_minutes.source
      AND trade.symbol = compare_minutes.symbol
      AND trade.event_timestamp >= (SELECT min(lake.window_start) FROM lake)
      AND trade.event_timestamp < (SELECT max(lake.window_start) + INTERVAL '1 minute' FROM lake)
    GROUP BY 1
  ),
  matched AS (
    SELECT
      lake.*,
      coalesce(covered.ids, '{}')                                                     AS covered_ids,
      coalesce(counted.ids, '{}')                                                     AS counted_ids,
      counted.content                                                                 AS counted_content,
      coalesce(counted.ids, '{}') - compare_minutes.held                              AS lost_ids,
      coalesce(covered.ids, '{}') * lake.around - compare_minutes.held                AS unknown_ids,
      lake.ids - coalesce(counted.ids, '{}')                                          AS uncounted_ids
    FROM lake
    LEFT JOIN counted ON counted.window_start = lake.window_start
    LEFT JOIN crypto.coverage AS covered
      ON covered.source = compare_minutes.source AND covered.symbol = compare_minutes.symbol
  ),
  judged AS (
    SELECT
      matched.*,
      CASE WHEN isempty(matched.lost_ids) THEN matched.unknown_ids - coalesce(placed.ids, '{}')
           ELSE matched.lost_ids END                                                  AS missing_ids,
      NOT isempty(matched.counted_ids - matched.ids)
        OR (matched.counted_ids = matched.ids AND matched.counted_content <> matched.content)
        OR elsewhere.is_known                                                         AS has_other_content
    FROM matched
    -- Covered ids that the lake does not have lie in the minute in which they were counted, as long as that is known.
    CROSS JOIN LATERAL (
      SELECT range_agg(int8range(trade.agg_trade_id, trade.agg_trade_id, '[]')) AS ids
      FROM crypto.crypto_prices_clean AS trade
      WHERE isempty(matched.lost_ids)
        AND NOT isempty(matched.unknown_ids)
        AND trade.source = compare_minutes.source
        AND trade.symbol = compare_minutes.symbol
        AND trade.agg_trade_id >= lower(matched.unknown_ids)
        AND trade.agg_trade_id < upper(matched.unknown_ids)
    ) AS placed
    -- The lake puts an id into this minute that was counted in another one.
    CROSS JOIN LATERAL (
      SELECT count(*) > 0 AS is_known
      FROM crypto.crypto_prices_clean AS trade
      WHERE NOT isempty(matched.uncounted_ids)
        AND trade.source = compare_minutes.source
        AND trade.symbol = compare_minutes.symbol
        AND trade.agg_trade_id >= lower(matched.uncounted_ids)
        AND trade.agg_trade_id < upper(matched.uncounted_ids)
        AND matched.uncounted_ids @> trade.agg_trade_id
    ) AS elsewhere
  ),
  reasoned AS (
    SELECT
      judged.*,
      CASE
        WHEN NOT isempty(judged.missing_ids) THEN 'missing ids'
        WHEN NOT judged.covered_ids @> judged.ids THEN 'uncounted ids'
        WHEN judged.has_other_content THEN 'other content'
        WHEN NOT isempty(judged.uncounted_ids) AND NOT isempty(judged.counted_ids) THEN 'partly pruned'
        WHEN NOT isempty(judged.uncounted_ids) AND judged.has_several_contents THEN 'several contents'
      END AS reason
    FROM judged
  )
  SELECT
    reasoned.window_start,
    CASE
      WHEN reasoned.reason IS NOT NULL THEN 'refused'
      WHEN found.differences <> '[]' THEN 'different'
      ELSE 'equal'
    END,
    reasoned.reason,
    reasoned.missing_ids,
    -- Of a minute that is refused the lake's bar means nothing.
    CASE WHEN reasoned.reason IS NULL THEN found.differences ELSE '[]' END,
    CASE WHEN (reasoned.warehouse_bar).window_start IS NOT NULL THEN to_jsonb(reasoned.warehouse_bar) END
  FROM reasoned
  CROSS JOIN LATERAL (
    SELECT crypto.bar_differences(reasoned.warehouse_bar, reasoned.lake_bar) AS differences
  ) AS found
$$;

-- Compares, and books what is not equal under the run's id. With `replace` it does so under the lock of the symbol's coverage,
-- and puts the lake's bar in the place of every bar that differs: deleted and merged anew, for a final bar can not be changed.
-- The coverage stays as it is, so nothing is counted twice or forgotten. Bars that this makes provable are finalized.
-- Safe to run twice: what was replaced is equal then, and stays booked as replaced.
CREATE FUNCTION crypto.rebuild_minutes(
  run_id TEXT, source TEXT, symbol TEXT, held INT8MULTIRANGE, minutes JSONB, replace BOOLEAN
) RETURNS TABLE (window_start TIMESTAMPTZ, verdict TEXT)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  wanted   JSONB := jsonb_build_array(
    jsonb_build_object('source', rebuild_minutes.source, 'symbol', rebuild_minutes.symbol, 'ids', held::TEXT)
  );
  found    JSONB;
  replaced TIMESTAMPTZ[];
BEGIN
  IF replace THEN
    PERFORM crypto.lock_coverage(wanted);
  END IF;
  -- A statement of its own: it sees what was committed before the lock was given.
  SELECT coalesce(jsonb_agg(to_jsonb(compared)), '[]') INTO found
  FROM crypto.compare_minutes(rebuild_minutes.source, rebuild_minutes.symbol, held, minutes) AS compared;

  IF replace THEN
    SELECT coalesce(array_agg(one.window_start), '{}') INTO replaced
    FROM jsonb_to_recordset(found) AS one (window_start TIMESTAMPTZ, verdict TEXT)
    WHERE one.verdict = 'different';

    DELETE FROM crypto.crypto_prices_agg_1min AS bar
    WHERE bar.source = rebuild_minutes.source
      AND bar.symbol = rebuild_minutes.symbol
      AND bar.window_start = ANY (replaced);

    PERFORM crypto.merge_bars(coalesce(jsonb_agg(part.bar), '[]'))
    FROM jsonb_to_recordset(minutes) AS part (window_start TIMESTAMPTZ, bar JSONB)
    WHERE part.window_start = ANY (replaced) AND jsonb_typeof(part.bar) = 'object';

    PERFORM crypto.finalize_bars(wanted);
  END IF;

  INSERT INTO crypto.rebuilt_minutes AS booked (
    run_id, source, symbol, window_start, verdict, reason, missing_ids, differences, bar_before
  )
  SELECT
    rebuild_minutes.run_id, rebuild_minutes.source, rebuild_minutes.symbol, one.window_start,
    CASE WHEN one.window_start = ANY (replaced) THEN 'replaced' ELSE one.verdict END,
    one.reason, one.missing_ids, one.differences, one.bar_before
  FROM jsonb_to_recordset(found) AS one (
    window_start TIMESTAMPTZ, verdict TEXT, reason TEXT, missing_ids INT8MULTIRANGE, differences JSONB, bar_before JSONB
  )
  WHERE one.verdict <> 'equal'
     OR EXISTS (
       SELECT
       FROM crypto.rebuilt_minutes AS earlier
       WHERE earlier.run_id = rebuild_minutes.run_id
         AND earlier.source = rebuild_minutes.source
         AND earlier.symbol = rebuild_minutes.symbol
         AND earlier.window_start = one.window_start
     )
  ON CONFLICT (run_id, source, symbol, window_start) DO UPDATE SET
    verdict = EXCLUDED.verdict,
    reason = EXCLUDED.reason,
    missing_ids = EXCLUDED.missing_ids,
    differences = EXCLUDED.differences,
    bar_before = EXCLUDED.bar_before,
    checked_at = EXCLUDED.checked_at
  WHERE NOT (booked.verdict = 'replaced' AND EXCLUDED.verdict = 'equal');

  RETURN QUERY
  SELECT one.window_start, one.verdict
  FROM jsonb_to_recordset(found) AS one (window_start TIMESTAMPTZ, verdict TEXT);
END
$$;
