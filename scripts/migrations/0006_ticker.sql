-- Finality of a ticker's bars. Its ids are slots of time, and a slot that was missed never comes: the counting rule alone would
-- leave the minutes around it open for ever.

ALTER FUNCTION crypto.finalize_bars(JSONB) RENAME TO finalize_proven_bars;

-- A ticker's bar whose slots are not all there is final as soon as a minute beyond the next one has a sample. Slots are only
-- ever sent in order, none after its own end, and a send takes a minute at most: so nothing earlier can come any more, from a
-- second producer of the same slots either. What comes nevertheless goes into crypto.conflicts, as with any final minute.
CREATE FUNCTION crypto.finalize_ticker_bars(wanted JSONB) RETURNS BIGINT
LANGUAGE sql AS $$
  WITH finalized AS (
    UPDATE crypto.crypto_prices_agg_1min AS bar
    SET finalized_at = clock_timestamp()
    FROM jsonb_to_recordset(wanted) AS want (source TEXT, symbol TEXT)
    WHERE crypto.is_ticker(want.source)
      AND bar.source = want.source
      AND bar.symbol = want.symbol
      AND bar.finalized_at IS NULL
      AND EXISTS (
        SELECT
        FROM crypto.crypto_prices_agg_1min AS later
        WHERE later.source = want.source AND later.symbol = want.symbol AND later.window_start > bar.window_end
      )
    RETURNING 1
  )
  SELECT count(*) FROM finalized
$$;

-- Finalizes what has become provable, of all sources; called as before. Two statements, so that the second sees the first.
CREATE FUNCTION crypto.finalize_bars(wanted JSONB) RETURNS BIGINT
LANGUAGE plpgsql AS $$
DECLARE
  proven BIGINT := crypto.finalize_proven_bars(wanted);
BEGIN
  RETURN proven + crypto.finalize_ticker_bars(wanted);
END
$$;
