import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp, type App } from '../../src/compose.js';
import { settings } from '../../src/core/settings.js';
import { queryRows, createPool } from '../../src/adapters/postgres.js';
import type { JobRun } from '../../src/core/ports/runs.js';
import { callCli, type CliResult } from '../support/run-cli.js';
import { filesWith, hitsIn, page, processes, storedFiles, type Place } from '../support/secret-places.js';
import { startStack, type TestStack } from '../support/stack.js';

/** One for each secret there is; letters and digits, so that it looks the same wherever it is written. */
const canaries = Object.fromEntries(
  settings
    .filter(({ isSecret }) => isSecret === true)
    .map(({ name }) => [name, `canary${randomBytes(24).toString('hex')}`]),
);
const values = Object.values(canaries);
/** For the cases of error: it is as secret as the right one. */
const wrong = Object.fromEntries(
  Object.keys(canaries).map((name) => [name, `canary${randomBytes(24).toString('hex')}`]),
);
const all = [...values, ...Object.values(wrong)];

let stack: TestStack;
let app: App;
/** What every call of ours has printed. */
const printed: Place[] = [];

async function call(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const result = await callCli([...argv, '--debug'], { ...stack.env, ...env });
  const name = `cryptopipe ${argv.join(' ')}`;
  printed.push(
    { name: `stdout of ${name}`, text: result.out },
    { name: `stderr of ${name}`, text: result.err },
  );
  return result;
}

async function submitted(argv: readonly string[]): Promise<JobRun> {
  const { exitCode, out, err } = await call(['submit', 'streaming', '--json', ...argv]);
  expect({ exitCode, err: exitCode === 0 ? '' : err }).toEqual({ exitCode: 0, err: '' });
  return JSON.parse(out) as JobRun;
}

beforeAll(async () => {
  stack = await startStack({ name: 'secrets', portOffset: 17_000, env: canaries });
  app = createApp(stack.config);
  // What every driver reads: here it makes Spark write its event log, in a form that can be searched.
  const events = join(stack.dataDir, 'events');
  mkdirSync(events);
  writeFileSync(
    join(stack.dataDir, 'spark-worker', 'conf', 'spark-defaults.conf'),
    `spark.eventLog.enabled true\nspark.eventLog.dir file://${events}\nspark.eventLog.compress false\n`,
  );
  expect((await call(['init'])).exitCode).toBe(0);
});

afterAll(async () => {
  await app.close();
  await stack.stop();
});

/** The files that may hold a secret: each is its owner's alone. Of the three a job is told where the password lies. */
const allowedFiles = ['pgpass', 'postgres.password', 'spark-master/conf/spark-defaults.conf'];

describe('the secrets of the configuration', { timeout: 240_000 }, () => {
  it('are known, each of them', () => {
    expect(Object.fromEntries(stack.config.secrets.map(({ name, value }) => [name, value]))).toEqual(
      canaries,
    );
    expect(Object.keys(canaries)).toEqual(expect.arrayContaining(['POSTGRES_PASSWORD', 'SPARK_REST_KEY']));
  });

  it('stand nowhere while a job runs', async () => {
    const rendered = await call(['render', 'streaming']);
    const request = await call(['submit', 'streaming', '--dry-run']);
    expect([rendered.exitCode, request.exitCode]).toEqual([0, 0]);
    const run = await submitted([]);
    for (const argv of [['status'], ['runs'], ['logs', run.runId], ['stack', 'env'], ['stack', 'status']])
      await call(argv);

    const { sparkUi, workerUi } = stack.config.native.ports;
    const driverUi = run.uiUrl ?? '';
    const pages = await Promise.all(
      [
        `http://localhost:${sparkUi}/environment/`,
        `http://localhost:${sparkUi}/json/`,
        `http://localhost:${workerUi}/`,
        `${driverUi}/environment/`,
        `${driverUi}/executors/`,
        `${driverUi}/api/v1/applications/${run.applicationId}/environment`,
      ].map(page),
    );
    // The right pages were read: they show what they hide. The page of an application is filled from its API.
    expect(pages[0]?.text).toContain('JWSFilter.param.secretKey');
    expect(pages[5]?.text).toContain('spark.eventLog.dir');

    const seen = processes();
    const work = join(stack.dataDir, 'spark-worker', 'work');
    const ofJobs = seen.filter(({ cwd }) => cwd.startsWith(work));
    expect(ofJobs.length).toBeGreaterThanOrEqual(3); // the driver's Java and Python, and an executor
    const ofStack = seen.filter(({ cwd }) => cwd.startsWith(stack.dataDir));
    expect(ofStack.length).toBeGreaterThanOrEqual(8);

    const stored = await storedFiles(app.files, '/jobs');
    expect(stored.map(({ name }) => name)).toEqual([run.jobPath]);
    const pool = createPool(stack.config.postgres);
    const rows = await queryRows(pool, 'SELECT to_jsonb(r)::text AS text FROM crypto.job_runs r');
    await pool.end();

    const places = [
      ...printed,
      ...pages,
      ...stored,
      { name: 'crypto.job_runs', text: JSON.stringify(rows) },
      ...seen.map(({ commandLine }) => commandLine),
      ...ofStack.map(({ environment }) => environment),
    ];
    expect(hitsIn(places, all)).toEqual([]);
    expect((await call(['stop', 'streaming'])).exitCode).toBe(0);
  });

  it('stay out of what Spark writes of a table that it reads with the password', async () => {
    const file = join(stack.dataDir, 'runs.sql');
    writeFileSync(file, 'SELECT job, count(*) AS runs FROM job_runs GROUP BY job ORDER BY job\n');
    const { exitCode, out } = await call(['submit', 'sql', file, '--wait', '--csv']);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'job,runs\r\nsql,1\r\nstreaming,1\r\n' });
    expect(hitsIn(printed, all)).toEqual([]);
    const events = filesWith(join(stack.dataDir, 'events'), ['JDBCRelation', 'JDBCScan']);
    expect(events).not.toEqual([]); // its plan is there, for the search through all files below
  });

  it('stay out of what a wrong password and a wrong key make everybody say', async () => {
    const password = { POSTGRES_PASSWORD: wrong['POSTGRES_PASSWORD'] ?? '' };
    expect(await call(['runs'], password)).toMatchObject({ exitCode: 3 });
    const key = { SPARK_REST_KEY: wrong['SPARK_REST_KEY'] ?? '' };
    const refused = await call(['submit', 'streaming'], key);
    expect(refused).toMatchObject({ exitCode: 4 });
    expect(refused.err).toContain('It does not take our token: set SPARK_REST_KEY or SPARK_REST_KEY_FILE');

    // A driver that cannot log in says so in its log, and tries again for a minute: nobody waits for that here.
    writeFileSync(join(stack.dataDir, 'postgres.password'), password.POSTGRES_PASSWORD);
    expect((await call(['submit', 'streaming', '--timeout', '1'])).exitCode).toBe(4);
    const told = async (): Promise<string> => (await call(['logs', 'streaming'])).out;
    await expect.poll(told, { timeout: 60_000, interval: 1000 }).toContain('password authentication failed');
    expect((await call(['stop', 'streaming', '--kill'])).exitCode).toBe(0);
    expect(hitsIn(printed, all)).toEqual([]);
  });

  it('stand in no file but those that only their owner can read', () => {
    expect(filesWith(stack.dataDir, all)).toEqual(allowedFiles);
    for (const file of allowedFiles) expect(statSync(join(stack.dataDir, file)).mode & 0o077).toBe(0);
    const events = filesWith(join(stack.dataDir, 'events'), ['spark.redaction.regex']);
    expect(events.length).toBeGreaterThan(0);
    const log = readFileSync(join(stack.dataDir, 'logs', 'spark-master.log'), 'utf8');
    expect(log).toContain('Launching driver');
  });
});
