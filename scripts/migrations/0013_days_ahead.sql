-- Days of trades are made ahead of time and without the strongest lock: whoever reads the trades for long (a dump, a cursor
-- that is open across midnight) neither stops the stream nor is stopped by it.

-- Who writes trades and who drops a day of them lock this table against each other, in modes that a role which can only read
-- cannot take. It has no rows.
CREATE TABLE crypto.day_lock ();

-- Makes the day's partition of the trades where it is missing, and keeps every day from being dropped until the transaction
-- ends. An empty table is attached, which takes SHARE UPDATE EXCLUSIVE on the parent: neither readers nor writers wait for it
-- (https://www.postgresql.org/docs/current/sql-altertable.html, ATTACH PARTITION).
CREATE OR REPLACE FUNCTION crypto.ensure_day(day DATE) RETURNS VOID
LANGUAGE plpgsql AS $$
DECLARE
  partition_name TEXT := 'crypto_prices_clean_' || to_char(day, 'YYYYMMDD');
BEGIN
  LOCK TABLE crypto.day_lock IN ROW EXCLUSIVE MODE;
  IF to_regclass('crypto.' || partition_name) IS NOT NULL THEN
    RETURN;
  END IF;
  -- Two that make days wait for each other here; the second finds what the first has made.
  LOCK TABLE ONLY crypto.crypto_prices_clean IN SHARE UPDATE EXCLUSIVE MODE;
  IF to_regclass('crypto.' || partition_name) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE crypto.%I (LIKE crypto.crypto_prices_clean INCLUDING ALL)', partition_name);
  EXECUTE format(
    'ALTER TABLE crypto.crypto_prices_clean ATTACH PARTITION crypto.%I FOR VALUES FROM (%L) TO (%L)',
    partition_name,
    day::TEXT || ' 00:00:00+00',
    (day + 1)::TEXT || ' 00:00:00+00'
  );
END
$$;

-- Makes the partitions of a day and of the two after it. Gives up at once where another transaction is in the way: a batch that
-- needs one of the days makes it itself.
CREATE FUNCTION crypto.make_days_ahead(day DATE DEFAULT (now() AT TIME ZONE 'UTC')::DATE) RETURNS VOID
LANGUAGE plpgsql
SET lock_timeout = '2s' AS $$
BEGIN
  PERFORM crypto.ensure_day(day + ahead) FROM generate_series(0, 2) AS ahead;
EXCEPTION
  WHEN lock_not_available THEN NULL;
END
$$;

-- As before, with the table's lock in place of an advisory one, which every role may take and keep.
CREATE OR REPLACE FUNCTION crypto.drop_day(day DATE) RETURNS BOOLEAN
LANGUAGE plpgsql
SET lock_timeout = '5s' AS $$
DECLARE
  partition_name TEXT := 'crypto_prices_clean_' || to_char(day, 'YYYYMMDD');
BEGIN
  LOCK TABLE crypto.day_lock IN EXCLUSIVE MODE;
  IF to_regclass('crypto.' || partition_name) IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE crypto.%I', partition_name);
  RETURN true;
END
$$;
