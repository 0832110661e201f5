import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { createSchema, readMigrations, type Migration } from '../../src/adapters/postgres-schema.js';
import { createPool, queryRows, type PostgresAddress } from '../../src/adapters/postgres.js';
import { ConfigError, UnreachableError } from '../../src/core/errors.js';
import { query, startPostgres, type TestPostgres } from '../support/postgres.js';

const ownNames = { cleanTable: 'crypto.crypto_prices_clean', barTable: 'crypto.crypto_prices_agg_1min' };
const all = readMigrations().map(({ name }) => name);
let server: TestPostgres;
const pools: pg.Pool[] = [];

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await server.stop();
});

function poolOf(address: PostgresAddress): pg.Pool {
  const pool = createPool(address);
  pools.push(pool);
  return pool;
}
const emptyPool = async (): Promise<pg.Pool> => poolOf(await server.database());
const aMigration = (name: string, sql: string, sha256 = name): Migration => ({ name, sql, sha256 });

describe('the schema', () => {
  it('is made once, and left alone the second time', async () => {
    const schema = createSchema(await emptyPool(), ownNames);
    expect([await schema.version(), await schema.pending()]).toEqual([undefined, all]);
    expect(await schema.migrate()).toEqual(all);
    expect([await schema.version(), await schema.pending()]).toEqual([all.at(-1), []]);
    expect(await schema.migrate()).toEqual([]);
  });

  it('is made once when five migrate at the same time', async () => {
    const address = await server.database();
    const applied = await Promise.all(
      [1, 2, 3, 4, 5].map(() => createSchema(poolOf(address), ownNames).migrate()),
    );
    expect(applied.flat().sort()).toEqual(all);
    expect(await query(address, 'SELECT name FROM crypto.schema_migrations ORDER BY name')).toEqual(
      all.map((name) => ({ name })),
    );
  });

  it('refuses a migration that was changed after it had been applied', async () => {
    const pool = await emptyPool();
    const [first, ...others] = readMigrations();
    await createSchema(pool, ownNames).migrate();
    const changed = createSchema(pool, ownNames, [{ ...first!, sha256: 'other' }, ...others]);
    await expect(changed.migrate()).rejects.toThrow(`${first!.name} was changed after`);
    await expect(changed.migrate()).rejects.toBeInstanceOf(ConfigError);
  });

  it('leaves nothing of a migration that fails, and keeps those before it', async () => {
    const pool = await emptyPool();
    const broken = [
      ...readMigrations(),
      aMigration('9001_broken.sql', 'CREATE TABLE crypto.half (); SELECT 1 / 0'),
    ];
    await expect(createSchema(pool, ownNames, broken).migrate()).rejects.toThrow('division by zero');
    expect(await createSchema(pool, ownNames).version()).toBe(all.at(-1));
    expect(await queryRows(pool, `SELECT to_regclass('crypto.half')::text AS half`)).toEqual([
      { half: null },
    ]);
  });

  it('refuses a schema that is newer than this version of cryptopipe', async () => {
    const pool = await emptyPool();
    await createSchema(pool, ownNames, [
      ...readMigrations(),
      aMigration('9001_later.sql', 'SELECT 1'),
    ]).migrate();
    await expect(createSchema(pool, ownNames).migrate()).rejects.toThrow('9001_later.sql');
  });

  it('shows the tables under other names as views', async () => {
    const pool = await emptyPool();
    const names = { cleanTable: 'lake.trades', barTable: 'crypto.bars' };
    await createSchema(pool, names).migrate();
    await createSchema(pool, names).migrate();
    await queryRows(
      pool,
      `INSERT INTO crypto.crypto_prices_agg_1min VALUES (
      'binance-spot', 'BTCUSDT', '2024-08-08 00:00Z', '2024-08-08 00:01Z', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)`,
    );
    expect(await queryRows(pool, 'SELECT symbol, high_price FROM crypto.bars')).toEqual([
      { symbol: 'BTCUSDT', high_price: '1.00000000' },
    ]);
    expect(await queryRows(pool, 'SELECT count(*) FROM lake.trades')).toEqual([{ count: 0 }]);
  });

  it('does not replace a table by a view', async () => {
    const pool = await emptyPool();
    await queryRows(pool, 'CREATE TABLE public.mine ()');
    const schema = createSchema(pool, { ...ownNames, barTable: 'public.mine' });
    await expect(schema.migrate()).rejects.toThrow('public.mine is a table already');
  });
});

describe('a server that cannot be used', () => {
  it('is unreachable, and named with its port, where nothing listens', async () => {
    const address = { host: 'localhost', port: 1, database: 'crypto', user: 'crypto', password: 'x' };
    const error: unknown = await createSchema(poolOf(address), ownNames)
      .version()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnreachableError);
    expect((error as UnreachableError).message).toContain('PostgreSQL at localhost:1 did not answer');
    expect((error as UnreachableError).nextStep).toContain('cryptopipe stack up');
  });

  it('is a matter of configuration where the database or the schema is missing', async () => {
    const address = await server.database();
    const missing = createSchema(poolOf({ ...address, database: 'nowhere' }), ownNames).version();
    await expect(missing).rejects.toThrow(/has no such database for crypto@nowhere/);
    await expect(queryRows(poolOf(address), 'SELECT 1 FROM crypto.coverage')).rejects.toMatchObject({
      exitCode: 3,
      nextStep: 'Make it with `cryptopipe init`.',
    });
  });
});

describe('scripts/init_postgres.sql', () => {
  it('makes with psql, twice, what init then finds complete', async (context) => {
    if (spawnSync('psql', ['--version']).error !== undefined)
      context.skip('there is no psql on this computer');
    const address = await server.database();
    const { host, port, database, user, password } = address;
    const where = ['-h', host, '-p', String(port), '-U', user, '-d', database];
    const run = (): unknown =>
      execFileSync('psql', [...where, '-q', '-f', 'scripts/init_postgres.sql'], {
        stdio: 'pipe',
        env: { ...process.env, PGPASSWORD: password },
      });
    run();
    run();
    const schema = createSchema(poolOf(address), ownNames);
    expect(await schema.version()).toBe(all.at(-1));
    expect(await schema.migrate()).toEqual([]);
  });
});
