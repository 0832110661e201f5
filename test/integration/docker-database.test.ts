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

  it('makes a database of its own for Airflow, with the password of its file', async () => {
    const { host, port, user, password } = stack.config.postgres;
    writeFileSync(join(keys, 'airflow-database-password'), "it's-a_key\n");
    const env = {
      PGHOST: host,
      PGPORT: String(port),
      PGPASSWORD: password,
      POSTGRES_USER: user,
      KEYS_DIR: keys,
    };
    await execa(join(root, 'docker/postgres/airflow-database.sh'), { env });
    const client = new Client({ host, port, user: 'airflow', password: "it's-a_key", database: 'airflow' });
    await client.connect();
    try {
      await client.query('CREATE TABLE own (id int)');
      const { rows } = await client.query<{ is_superuser: string }>('SHOW is_superuser');
      expect(rows).toEqual([{ is_superuser: 'off' }]);
    } finally {
      await client.end();
    }
  });
});
