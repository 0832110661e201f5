-- A role that can read everything and change nothing, for dashboards. It cannot log in until `cryptopipe init` gives it the
-- password of POSTGRES_READER_PASSWORD. Roles belong to the whole server: another database may have made it, or make it now.
-- A server whose owner gives us no right to make roles goes without; whoever has the right runs the same statements.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crypto_reader') THEN
    CREATE ROLE crypto_reader NOLOGIN;
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
  WHEN insufficient_privilege THEN RAISE NOTICE 'the role crypto_reader was not made: no right to make roles';
END
$$;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'crypto_reader') THEN
    -- What a person may type into a dashboard ends by itself, beside a stream that wants the same processors.
    ALTER ROLE crypto_reader SET default_transaction_read_only = on;
    ALTER ROLE crypto_reader SET statement_timeout = '30s';
    GRANT USAGE ON SCHEMA crypto TO crypto_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA crypto TO crypto_reader;
    -- Days of trades are tables that are made later.
    ALTER DEFAULT PRIVILEGES IN SCHEMA crypto GRANT SELECT ON TABLES TO crypto_reader;
  END IF;
END
$$;

-- Batches by the time of their commit. They are written in that order, so a range of blocks is enough, and costs a stream
-- nothing.
CREATE INDEX batches_committed ON crypto.batches USING brin (committed_at) WITH (pages_per_range = 16);
