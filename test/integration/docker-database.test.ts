import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/compose/describe-checks.js';
import { startStack, type TestStack } from '../support/stack.js';

const hasPsql = !(await execa('psql', ['--version'], { reject: false })).failed;
if (!hasPsql) console.warn('The script of the PostgreSQL image is skipped: there is no psql here');

describe.skipIf(!hasPsql)('airflow-database.sh (skipped without psql)', () => {
  let stack: TestStack;
  const keys = mkdtempSync(join(tmpdir(), 'docker-database-'));

  beforeAll(async () => {
    stack = await startStack({ name: 'docker-database', portOffset: 11_400, only: ['postgres'] });
  });
  afterAll(async () => {
    rmSync(keys, { recursive: true });
    await stack.stop();
  });

  const ensure = (password: string, changed: Record<string, string> = {}) => {
    const { host, port, user, database, password: own } = stack.config.postgres;
    writeFileSync(join(keys, 'airflow-database-password'), `${password}\n`);
    writeFileSync(join(keys, 'postgres-password'), `${changed['password'] ?? own}\n`);
    const env = {
      ...{ PATH: process.env['PATH'] ?? '', KEYS_DIR: keys, PGHOST: host, PGPORT: String(port) },
      ...{ PGDATABASE: database, POSTGRES_USER: user, ...changed },
    };
    return execa(join(root, 'docker/postgres/airflow-database.sh'), { env, extendEnv: false, reject: false });
  };
  async function asAirflow<T>(password: string, work: (client: Client) => Promise<T>): Promise<T> {
    const { host, port } = stack.config.postgres;
    const client = new Client({ host, port, user: 'airflow', password, database: 'airflow' });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  it('makes role and database, and at each later start only what is missing', async () => {
    const first = await ensure("it's-a_key");
    expect(first.exitCode, first.stderr).toBe(0);
    await asAirflow("it's-a_key", async (client) => {
      await client.query('CREATE TABLE own (id int)');
      expect((await client.query('SHOW is_superuser')).rows).toEqual([{ is_superuser: 'off' }]);
    });
    const second = await ensure('another');
    expect(second.exitCode, second.stderr).toBe(0);
    await asAirflow('another', (client) => client.query('SELECT FROM own'));
    await expect(asAirflow("it's-a_key", (client) => client.query('SELECT 1'))).rejects.toMatchObject({
      code: '28P01',
    });
  });

  it('makes the database of a role whose start was interrupted', async () => {
    await ensure('a-key');
    const { host, port, user, password } = stack.config.postgres;
    const client = new Client({ host, port, user, password, database: 'postgres' });
    await client.connect();
    await client.query('DROP DATABASE airflow');
    await client.end();
    expect((await ensure('a-key')).exitCode).toBe(0);
    await asAirflow('a-key', (own) => own.query('SELECT 1'));
  });

  it('names the way out where the password of the settings is not that of the first start', async () => {
    const { exitCode, stderr } = await ensure('a-key', { password: 'changed' });
    expect(exitCode).toBe(4);
    expect(stderr).toContain('PostgreSQL keeps the password of its first start.');
    expect(stderr).toContain('set the old value again');
  });

  it.each(['POSTGRES_USER', 'PGDATABASE'])('refuses the name airflow as %s', async (name) => {
    const { exitCode, stderr } = await ensure('a-key', { [name]: 'airflow' });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3 });
    expect(stderr).toContain("error: Airflow's own role and database are called airflow");
  });
});
