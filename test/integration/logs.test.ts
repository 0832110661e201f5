import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCatalogue, requireSound } from '../../src/adapters/job-catalogue.js';
import { follow, readFailure, readLogs } from '../../src/commands/logs.js';
import { workOf } from '../../src/commands/render.js';
import { submit } from '../../src/commands/submit.js';
import { createApp, type App } from '../../src/compose.js';
import { JobFailedError } from '../../src/core/errors.js';
import { findJob } from '../../src/core/job.js';
import type { JobRun } from '../../src/core/ports/runs.js';
import { startStack, type TestStack } from '../support/stack.js';

let stack: TestStack;
let app: App;
let rolling: ChildProcess | undefined;

/** Larger than what the stack's own worker offers, so that the executor runs on the worker that rolls logs over. */
const executorMemory = '4500m';
const rows = 12_000;

async function submitTalking(overrides: readonly string[], memory: string): Promise<JobRun> {
  const folder = join(import.meta.dirname, '../fixtures/talking-job');
  const [job] = requireSound(readCatalogue([folder], findJob('streaming', app.jobs).connection));
  if (job === undefined) throw new Error('there is no talking job');
  const { files, book, spark, clock } = app;
  const resources = { ...job.resources, executorMemory: memory };
  const runId = app.newRunId();
  await submit(
    { files, book, spark, clock, say: () => undefined },
    {
      work: workOf(app.templates, { ...job, resources }, overrides),
      runId,
      hdfsRoot: app.config.hdfs.root,
      cluster: app.clusterView,
      submittedBy: 'a test',
      secrets: app.secrets,
      registerTimeoutMs: 100_000,
      signal: new AbortController().signal,
    },
  ).catch((error: unknown) => {
    // A job that fails at once may have ended before anybody looked.
    if (!(error instanceof JobFailedError)) throw error;
  });
  const run = await app.book.find(runId);
  if (run === undefined) throw new Error(`run ${runId} was never written down`);
  return run;
}

/** A second worker, with room for a driver too, whose executors' logs are rolled over after 100 kB; one old file is kept. */
async function startRollingWorker(): Promise<ChildProcess> {
  const { sparkHome, python } = app.nativeInstallation;
  const folder = join(stack.dataDir, 'rolling-worker');
  await mkdir(join(folder, 'conf'), { recursive: true });
  const child = spawn(
    join(sparkHome, 'bin', 'spark-class'),
    [
      'org.apache.spark.deploy.worker.Worker',
      ...['--host', '127.0.0.1', '--port', '0', '--webui-port', '0', '--cores', '2', '--memory', '6g'],
      ...['--work-dir', join(folder, 'work'), app.config.spark.masterUrl],
    ],
    {
      stdio: 'ignore',
      env: {
        ...{ PATH: process.env['PATH'], HOME: process.env['HOME'], LANG: 'C.UTF-8' },
        ...{ SPARK_HOME: sparkHome, SPARK_CONF_DIR: join(folder, 'conf'), PYSPARK_PYTHON: python },
        ...{ SPARK_LOCAL_IP: '127.0.0.1', SPARK_PUBLIC_DNS: 'localhost', SPARK_DAEMON_MEMORY: '256m' },
        POSTGRES_PASSWORD_FILE: join(stack.dataDir, 'postgres.password'),
        SPARK_WORKER_OPTS:
          '-Dspark.executor.logs.rolling.strategy=size -Dspark.executor.logs.rolling.maxSize=100000 -Dspark.executor.logs.rolling.maxRetainedFiles=1',
      },
    },
  );
  const deadline = Date.now() + 60_000;
  while ((await app.spark.master()).workers.filter(({ state }) => state === 'ALIVE').length < 2) {
    if (Date.now() > deadline) throw new Error('the second worker did not come');
    await app.clock.sleep(250);
  }
  return child;
}

beforeAll(async () => {
  stack = await startStack({
    name: 'logs',
    portOffset: 15_000,
    only: ['postgres', 'data-node', 'spark-worker'],
  });
  app = createApp(stack.config);
  await app.schema.migrate();
  rolling = await startRollingWorker();
});

afterAll(async () => {
  const ended = new Promise((resolve) => rolling?.once('exit', resolve));
  if (rolling?.kill('SIGTERM') === true) await ended;
  await app.close();
  await stack.stop();
  await rm(join(stack.dataDir, 'rolling-worker'), { recursive: true, force: true });
});

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

describe('logs --follow on a real Spark', () => {
  it('gives every line of driver and executor once, in order, over the roll-over of a log', async () => {
    const run = await submitTalking(['lines=200', 'pause_ms=100', `rows=${rows}`], executorMemory);
    const lines: Record<string, string[]> = {};
    const notices: string[] = [];
    const followed = await follow(app, run, {
      ...{ of: 'all', streams: ['stdout', 'stderr'], begin: 'all', signal: AbortSignal.timeout(110_000) },
      onLine: ({ owner, stream, line }) => (lines[`${owner.kind} ${stream}`] ??= []).push(line),
      say: (text) => notices.push(text),
    });
    expect(followed).toMatchObject({ ended: 'with the run', run: { state: 'FINISHED' } });
    const ofKind = (source: string, pattern: RegExp): (string | undefined)[] =>
      (lines[source] ?? []).flatMap((line) => (pattern.test(line) ? [pattern.exec(line)?.[1]] : []));
    expect(ofKind('driver stdout', /^out (\d+) \d+ größe 価格 😀$/)).toEqual(numbers(200));
    expect(ofKind('driver stderr', /^err (\d+) \d+$/)).toEqual(numbers(200));
    expect(ofKind('executor stderr', /^row (\d+) größe 価格 😀$/)).toEqual(numbers(rows));
    expect(notices).toEqual([]);
    // The worker has deleted the first files since: what is there now begins later.
    const wanted = { of: 'executors', streams: ['stderr'], begin: 'all' } as const;
    const [kept] = (await readLogs(app, followed.run, wanted)).streams;
    const first = Number(/^row (\d+) größe/m.exec(kept?.text ?? '')?.[1]);
    expect(first).toBeGreaterThan(1000);
  });

  it('prints what there is of a run that has ended, and why it failed', async () => {
    const submitted = await submitTalking(['lines=5', 'pause_ms=0', 'fails=true'], '512m');
    const signal = AbortSignal.timeout(60_000);
    const quiet = { begin: 0, signal, onLine: () => undefined, say: () => undefined } as const;
    const { run } = await follow(app, submitted, { ...quiet, of: 'driver', streams: ['stdout'] });
    expect(run).toMatchObject({
      state: 'FAILED',
      error: expect.stringContaining('ValueError: asked to fail') as string,
    });
    const lines: string[] = [];
    const again = await follow(app, run, {
      ...{ of: 'driver', streams: ['stdout'], begin: 'all', signal, say: () => undefined },
      onLine: ({ line }) => lines.push(line.replace(/ \d{13} .*/, '')),
    });
    expect(again.ended).toBe('with the run');
    expect(lines.filter((line) => line.startsWith('out '))).toEqual(
      numbers(5).map((number) => `out ${number}`),
    );
    expect(await readFailure(app, run)).toMatch(/^Traceback [^]*\nValueError: asked to fail$/);
  });
});
