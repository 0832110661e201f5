import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PostgresAddress } from '../../src/adapters/postgres.js';
import { createTemplateStore } from '../../src/adapters/templates.js';
import { createApp } from '../../src/compose.js';
import { loadConfig } from '../../src/config.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';

/** What each case of warehouse_outages.py found, by its name. */
type Found = Record<
  string,
  { readonly result?: unknown; readonly error?: string; readonly printed: string[] }
>;

let server: TestPostgres;
let work: string;
let found: Found;

/** The frame that every job has, as a module of Python; its servers are these. */
async function writeFrame(address: PostgresAddress): Promise<void> {
  const template = join(work, 'frame.py.hbs');
  await writeFile(template, '{{> py/job}}\n');
  const { text } = createTemplateStore(resolve(import.meta.dirname, '../..')).job(template, {
    postgres_host: address.host,
    postgres_port: address.port,
    postgres_database: address.database,
    postgres_user: address.user,
  });
  await writeFile(join(work, 'frame.py'), text);
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'cryptopipe-warehouse-'));
  const app = createApp(loadConfig({ dataDir: join(work, 'data') }, process.env, '/nonexistent/.env'));
  await app.stack.install({ say: () => undefined, signal: AbortSignal.timeout(280_000) });
  server = await startPostgres();
  const address = await server.database();
  await writeFrame(address);
  const { stdout } = await execa(
    app.nativeInstallation.python,
    [join(import.meta.dirname, '../support/python/warehouse_outages.py')],
    { env: { PYTHONPATH: work, POSTGRES_PASSWORD: address.password }, timeout: 100_000 },
  );
  found = JSON.parse(stdout) as Found;
}, 600_000);

afterAll(async () => {
  await server.stop();
  await rm(work, { recursive: true, force: true });
});

describe('a transaction of a job', () => {
  it.each([
    ['its connection is ended by the administrator (57P01)', 'terminated'],
    ['the server has become read-only (25006)', 'read-only'],
    ['it waits too long for a lock (55P03)', 'lock timeout'],
    ['another transaction stands across its way (40P01)', 'deadlock'],
    ['the disk is full (53100)', 'disk full'],
    ['there are too many connections (53300)', 'too many connections'],
    ['its server does not listen yet', 'refused'],
    ['it idled too long in its transaction (25P03)', 'idle in transaction'],
    ['the server stood still and canceled it once (57014)', 'canceled once'],
  ])('is done again when %s', (_, name) => {
    expect(found[name]).toMatchObject({ result: 'done' });
    expect(found[name]?.error).toBeUndefined();
  });

  it.each([
    ['is canceled each time, since it takes too long', 'canceled each time', 'QueryCanceled'],
    ['is wrong', 'wrong', 'UndefinedTable'],
    ['finds data that cannot be', 'impossible', 'UniqueViolation'],
  ])('fails when it %s', (_, name, error) => {
    expect(found[name]).toMatchObject({ error });
  });

  it('fails after its patience where the server stays away', () => {
    expect(found['patience']).toMatchObject({ error: 'OperationalError' });
  });

  it('tells the beginning of an outage and its end, whoever else waits for it, and nothing of short ones', () => {
    expect(found['outage']?.printed).toEqual([
      expect.stringMatching(/^PostgreSQL does not answer, waiting: connection failed: .*refused/),
      expect.stringMatching(/^PostgreSQL answers again after \d+ s$/),
    ]);
    expect(found['terminated']?.printed).toEqual([]);
  });

  it('waits at least half of a doubling time and never longer than 15 s', () => {
    expect(found['backoff']).toMatchObject({ result: 'done' });
  });
});
