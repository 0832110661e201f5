-- The schema of the warehouse for psql: every migration that this database does not have yet, each in one transaction.
-- May run any number of times, and beside `cryptopipe init`, which keeps the same book of what was applied.
--   psql --host localhost --username crypto --dbname crypto --file scripts/init_postgres.sql
-- Refreshed by `npm run golden` when a migration is added.
\set ON_ERROR_STOP on

CREATE SCHEMA IF NOT EXISTS crypto;
CREATE TABLE IF NOT EXISTS crypto.schema_migrations (
  name       TEXT        PRIMARY KEY,
  sha256     TEXT        NOT NULL,
  applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0001_tables.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0001_tables.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0001_tables.sql', '03e7b8375bb8ecdbade4ec4d594b7f89f127183957fcff387d7d13b94cc7dddd');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0002_counting.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0002_counting.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0002_counting.sql', 'd2d0d7b2bddf5585090862ab084b0caf9e24bdfb3010cacfb6d56add8830c125');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0003_batches_index.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0003_batches_index.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0003_batches_index.sql', '62aeac8eefd7446df3233ea6421ff86815ce91a0c066dcb100afff0adfc41eb2');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0004_reconciliations.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0004_reconciliations.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0004_reconciliations.sql', '00d194f7de32a44da3e09cd1a9a416f50f27efc5e635d606d5a24a6a17f1501d');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0005_views.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0005_views.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0005_views.sql', 'bf65d8318982209d3b10d1230473ed6a534a2950e2ab5a7f8732a9c469bfc638');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0006_ticker.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0006_ticker.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0006_ticker.sql', '5fb099c384393d14b15327f27fc922c46d0155b48f94a04cf7a1931f2989fc73');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0007_prune.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0007_prune.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0007_prune.sql', '37c4b4c4007e5ef0426c27067eabd02f41c002458e10ff52dc848d81d0d95893');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0008_run_details.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0008_run_details.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0008_run_details.sql', '0fc87ae1391e98a6811bbe762e3ae5b22a5856e369564edbacad15c6f0c9c82c');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0009_rebuild_bars.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0009_rebuild_bars.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0009_rebuild_bars.sql', 'a54759b34b13d5ae42739f5d7a9adc23045d37e8362fb70c012f4e414734f456');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0010_quality.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0010_quality.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0010_quality.sql', '64e7f71cbfc1573483c148684fb99802ed11d731a98c18f4a911d21f7ac8367b');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0011_run_starts.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0011_run_starts.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0011_run_starts.sql', '6c02e9fc4e8810a0779ba81dc3651171f5837f75f9a91ccaf73aec06695d112b');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0012_reader.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0012_reader.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0012_reader.sql', '71dde496c6b75c8f1a9736349b5582ae5f9f9318699a90d7b993269b394f9a2a');
COMMIT;
\endif

SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '0013_days_ahead.sql') AS is_missing \gset
\if :is_missing
BEGIN;
\ir migrations/0013_days_ahead.sql
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('0013_days_ahead.sql', '1494608ef9ae61654d0df93c9dd15251f2a4289e18747cf6b8de17a278b64add');
COMMIT;
\endif
