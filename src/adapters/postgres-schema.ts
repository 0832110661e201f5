import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import type pg from 'pg';
import { ConfigError } from '../core/errors.js';
import type { Schema } from '../core/ports/bars.js';
import { inTransaction, queryRows } from './postgres.js';

/** One file of `scripts/migrations/`; the hash is the one of its bytes. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** Names under which people read two tables; where they are not the tables' own, each becomes a view. */
export interface ReadNames {
  readonly cleanTable: string;
  readonly barTable: string;
}

const migrationsFolder = fileURLToPath(new URL('../../scripts/migrations/', import.meta.url));
/** Any constant: whoever migrates this database takes the same lock. */
const lockKey = 7_207_309_041;
const realTables = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
const bookOfMigrations = `
  CREATE SCHEMA IF NOT EXISTS crypto;
  CREATE TABLE IF NOT EXISTS crypto.schema_migrations (
    name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
  )`;

/** The migrations of a folder in the order in which they are applied: that of their four-digit numbers. */
export function readMigrations(folder = migrationsFolder): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      return { name, sql: bytes.toString('utf8'), sha256: createHash('sha256').update(bytes).digest('hex') };
    });
}

/**
 * The schema of one database. Every migration runs in a transaction of its own under one advisory lock, so any number of
 * processes may migrate at once, any number of times.
 */
export function createSchema(pool: pg.Pool, names: ReadNames, migrations = readMigrations()): Schema {
  return {
    migrate: async () => {
      const applied: string[] = [];
      await refuseUnknown(pool, migrations);
      for (const migration of migrations) if (await applyOnce(pool, migration)) applied.push(migration.name);
      await ensureViews(pool, names);
      await queryRows(pool, 'SELECT crypto.make_days_ahead()');
      return applied;
    },
    pending: async () => {
      const applied = new Set(await appliedNames(pool));
      return migrations.map(({ name }) => name).filter((name) => !applied.has(name));
    },
    version: async () => (await appliedNames(pool)).at(-1),
    letReaderIn: (password) => letReaderIn(pool, password),
  };
}

/** The statement that sets a password takes no parameter: PostgreSQL quotes it, and it stands in no text of ours. */
async function letReaderIn(pool: pg.Pool, password: string): Promise<void> {
  await locked(pool, async (client) => {
    const { rows } = await client.query<{ statement: string }>(
      `SELECT format('ALTER ROLE crypto_reader LOGIN PASSWORD %L', $1::text) AS statement
       FROM pg_roles WHERE rolname = 'crypto_reader'`,
      [password],
    );
    if (rows[0] === undefined)
      throw new ConfigError('This PostgreSQL has no role crypto_reader, and its user may not make one', {
        nextStep:
          'Make it as scripts/migrations/0012_reader.sql does, or leave POSTGRES_READER_PASSWORD unset.',
      });
    await client.query(rows[0].statement);
  });
}

/** In order; none where the database has no schema yet. */
async function appliedNames(pool: pg.Pool): Promise<string[]> {
  const [there] = await queryRows<{ book: string | null }>(
    pool,
    `SELECT to_regclass('crypto.schema_migrations')::text AS book`,
  );
  if ((there?.book ?? null) === null) return [];
  const rows = await queryRows<{ name: string }>(
    pool,
    'SELECT name FROM crypto.schema_migrations ORDER BY name COLLATE "C"',
  );
  return rows.map(({ name }) => name);
}

async function locked<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [lockKey]);
    return work(client);
  });
}

/** True when this call applied it; false when it was there, byte for byte. */
async function applyOnce(pool: pg.Pool, migration: Migration): Promise<boolean> {
  return locked(pool, async (client) => {
    const { rows } = await client.query<{ sha256: string }>(
      'SELECT sha256 FROM crypto.schema_migrations WHERE name = $1',
      [migration.name],
    );
    if (rows[0] !== undefined) return refuseChanged(migration, rows[0].sha256);
    await client.query(migration.sql);
    await client.query('INSERT INTO crypto.schema_migrations (name, sha256) VALUES ($1, $2)', [
      migration.name,
      migration.sha256,
    ]);
    return true;
  });
}

function refuseChanged({ name, sha256 }: Migration, appliedSha256: string): false {
  if (sha256 === appliedSha256) return false;
  throw new ConfigError(`The migration ${name} was changed after it had been applied to this database`, {
    nextStep: 'Take back the change and put it into a migration with a new number.',
  });
}

/** Makes the book of migrations, and stops an older cryptopipe on a newer schema before it changes anything. */
async function refuseUnknown(pool: pg.Pool, migrations: readonly Migration[]): Promise<void> {
  const rows = await locked(pool, async (client) => {
    await client.query(bookOfMigrations);
    return (await client.query<{ name: string }>('SELECT name FROM crypto.schema_migrations')).rows;
  });
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = rows.map(({ name }) => name).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new ConfigError(
    `The schema of this database is newer than this cryptopipe: it has ${unknown.sort().join(', ')}`,
    { nextStep: 'Use the version of cryptopipe that made it, or a newer one.' },
  );
}

async function ensureViews(pool: pg.Pool, names: ReadNames): Promise<void> {
  for (const key of ['cleanTable', 'barTable'] as const)
    if (names[key] !== realTables[key]) await ensureView(pool, names[key], realTables[key]);
}

async function ensureView(pool: pg.Pool, name: string, table: string): Promise<void> {
  const quoted = name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
  await locked(pool, async (client) => {
    const { rows } = await client.query<{ kind: string }>(
      'SELECT relkind::text AS kind FROM pg_class WHERE oid = to_regclass($1)',
      [quoted],
    );
    if (rows[0] !== undefined && rows[0].kind !== 'v')
      throw new ConfigError(`${name} is a table already, so it cannot become a view of ${table}`, {
        nextStep: 'Set POSTGRES_CLEAN_TABLE and POSTGRES_AGG_TABLE to names that are free.',
      });
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoted.slice(0, quoted.indexOf('.'))}`);
    await client.query(`CREATE OR REPLACE VIEW ${quoted} AS SELECT * FROM ${table}`);
  });
}
