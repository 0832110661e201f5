import { expect, it } from 'vitest';
import { readMigrations, type Migration } from '../../src/adapters/postgres-schema.js';

const head = `-- The schema of the warehouse for psql: every migration that this database does not have yet, each in one transaction.
-- May run any number of times, and beside \`cryptopipe init\`, which keeps the same book of what was applied.
--   psql --host localhost --username crypto --dbname crypto --file scripts/init_postgres.sql
-- Refreshed by \`npm run golden\` when a migration is added.
\\set ON_ERROR_STOP on

CREATE SCHEMA IF NOT EXISTS crypto;
CREATE TABLE IF NOT EXISTS crypto.schema_migrations (
  name       TEXT        PRIMARY KEY,
  sha256     TEXT        NOT NULL,
  applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
`;

const partOf = ({ name, sha256 }: Migration): string => `
SELECT NOT EXISTS (SELECT FROM crypto.schema_migrations WHERE name = '${name}') AS is_missing \\gset
\\if :is_missing
BEGIN;
\\ir migrations/${name}
INSERT INTO crypto.schema_migrations (name, sha256) VALUES ('${name}', '${sha256}');
COMMIT;
\\endif
`;

it('scripts/init_postgres.sql includes every migration, in order, with the hash that init would write', async () => {
  const text = head + readMigrations().map(partOf).join('');
  await expect(text).toMatchFileSnapshot('../../scripts/init_postgres.sql');
});
