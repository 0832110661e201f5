-- Dropping old days of trades beside a stream that may be writing to one of them.

-- As before, and from here on until its transaction ends no day is dropped: without that a day could go between the look at
-- its partition and the copy into it, and the batch would fail.
CREATE OR REPLACE FUNCTION crypto.ensure_day(day DATE) RETURNS VOID
LANGUAGE plpgsql AS $$
DECLARE
  partition_name TEXT := 'crypto_prices_clean_' || to_char(day, 'YYYYMMDD');
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtext('crypto.drop_day'));
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

-- Drops the trades of one day, whole; false where there is no such day. Bars and coverage stay: what was counted stays counted.
-- Gives up after some seconds where somebody reads the trades for long: behind a waiting drop the stream would wait too.
CREATE FUNCTION crypto.drop_day(day DATE) RETURNS BOOLEAN
LANGUAGE plpgsql
SET lock_timeout = '5s' AS $$
DECLARE
  partition_name TEXT := 'crypto_prices_clean_' || to_char(day, 'YYYYMMDD');
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('crypto.drop_day'));
  IF to_regclass('crypto.' || partition_name) IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE crypto.%I', partition_name);
  RETURN true;
END
$$;
