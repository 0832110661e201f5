import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCatalogue, requireSound } from '../../src/adapters/job-catalogue.js';
import { localFiles } from '../../src/adapters/local-files.js';
import { follow } from '../../src/commands/follow.js';
import { readLogs } from '../../src/commands/logs.js';
import { programWork } from '../../src/commands/program-work.js';
import { reconcile } from '../../src/commands/reconcile.js';
import { workOf } from '../../src/commands/render.js';
import { submit, type SubmitOptions, type SubmitPorts } from '../../src/commands/submit.js';
import { createApp, type App } from '../../src/compose.js';
import { JobFailedError } from '../../src/core/errors.js';
import { findJob } from '../../src/core/job.js';
import type { JobRun } from '../../src/core/ports/runs.js';
import { storedPathOf, type Work } from '../../src/core/submission.js';
import { driverProcess, killAll } from '../support/driver-processes.js';
import { startStack, type TestStack } from '../support/stack.js';

// Files in HDFS, where everybody can write, that are altered after `submit` has compared them.

let stack: TestStack;
let app: App;
let folder: string;
/** Exists once an altered program has run. */
const marker = (): string => join(folder, 'evil-was-here');
const signal = (): AbortSignal => AbortSignal.timeout(100_000);

const ports = (): SubmitPorts => {
  const { files, book, spark, clock } = app;
  return { files, book, spark, clock, say: () => undefined };
};

const options = (work: Work): SubmitOptions => ({
  work,
  runId: app.newRunId(),
  hdfsRoot: app.config.hdfs.root,
  cluster: app.clusterView,
  submittedBy: 'a test',
  secrets: app.secrets,
  registerTimeoutMs: 90_000,
  signal: signal(),
});

function sampleWork(ending: string, supervise: boolean): Work {
  const jobs = join(import.meta.dirname, '../fixtures/sample-job');
  const [job] = requireSound(readCatalogue([jobs], findJob('streaming', app.jobs).connection));
  if (job === undefined) throw new Error('there is no sample job');
  return { ...workOf(app.templates, job, [`ending=${ending}`]), supervise };
}

/** Puts a program of the same size that leaves the marker in the place of the stored one. */
async function alter(address: string): Promise<void> {
  const { length } = await app.files.read(address);
  const evil = `open(${JSON.stringify(marker())}, "w").close()\n`;
  await app.files.write(address, Buffer.from(evil.padEnd(length, '#')));
}

/** As `submit` does it, with something done after the last comparison and before the POST. */
const portsWith = (beforePost: () => Promise<void>): SubmitPorts => ({
  ...ports(),
  spark: {
    ...app.spark,
    create: async (request, aborted) => {
      await beforePost();
      return app.spark.create(request, aborted);
    },
  },
});

async function endOf(run: JobRun): Promise<JobRun> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const seen = await reconcile(ports(), (await app.book.find(run.runId)) ?? run);
    if (['FINISHED', 'FAILED', 'KILLED', 'LOST'].includes(seen.run.state)) return seen.run;
    if (Date.now() > deadline)
      throw new Error(`the run is still ${seen.run.state}: ${seen.situation.sentence}`);
    await app.clock.sleep(500);
  }
}

const stdoutOf = async (run: JobRun): Promise<string> => {
  const log = await readLogs(app, run, { of: 'driver', streams: ['stdout'], begin: 50 });
  return log.streams.map(({ text }) => text).join('\n');
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'program-check-'));
  stack = await startStack({
    name: 'program-check',
    portOffset: 17_000,
    only: ['postgres', 'data-node', 'spark-worker'],
  });
  app = createApp(stack.config);
  await app.schema.migrate();
});

afterAll(async () => {
  await app.close();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a stored program', () => {
  it('that is as it was submitted runs', async () => {
    const { run } = await submit(ports(), options(sampleWork('ends', false)));
    expect(await follow(ports(), run, { timeoutMs: 60_000, signal: signal() })).toMatchObject({
      state: 'FINISHED',
    });
  });

  it('that is altered before its driver starts does not run, and the run says why', async () => {
    const work = sampleWork('stays', false);
    const failure: unknown = await submit(
      portsWith(() => alter(work.program.address)),
      options(work),
    ).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(JobFailedError);
    expect((failure as JobFailedError).message).toMatch(
      /is FAILED: driver FAILED: .*; ProgramRefused: sample.py has SHA-256 \w{64}, but \w{64} was submitted$/,
    );
    expect((failure as JobFailedError).logTail).toMatch(/^ProgramRefused: sample.py/);
    expect(existsSync(marker())).toBe(false);
  });

  it('that is altered under a supervised driver does not run when Spark starts the driver again', async () => {
    const work = sampleWork('stays', true);
    const { run } = await submit(ports(), options(work));
    expect(run).toMatchObject({ state: 'RUNNING', supervise: true });
    await alter(work.program.address);
    killAll([driverProcess({ config: stack.config }, run.submissionId ?? '', 'java')]);
    const ended = await endOf(run);
    expect(ended).toMatchObject({
      state: 'FAILED',
      error: expect.stringMatching(
        /^driver FINISHED without a run of the program; ProgramRefused: sample.py has SHA-256 /,
      ) as string,
    });
    expect(await stdoutOf(ended)).toMatch(/^registered 1 .*\nProgramRefused: sample.py has SHA-256 /);
    expect(existsSync(marker())).toBe(false);
  });

  it('is stored anew by the next submission, which runs', async () => {
    const { run } = await submit(ports(), options(sampleWork('stays', true)));
    expect(run.state).toBe('RUNNING');
    await app.book.requestStop(run.runId);
    expect(await endOf(run)).toMatchObject({ state: 'FINISHED' });
  });
});

describe('a program with files that it imports', () => {
  const call = () => {
    writeFileSync(join(folder, 'main.py'), 'import rules\nprint(rules.WORD)\n');
    writeFileSync(join(folder, 'rules.py'), 'WORD = "good"\n');
    const common = { args: [], jars: [], conf: [], name: 'imports', single: false, supervise: false };
    return programWork(
      localFiles,
      {
        ...common,
        kind: 'python',
        file: join(folder, 'main.py'),
        pyFiles: [join(folder, 'rules.py')],
        mainClass: undefined,
        resources: { driverMemory: '512m' },
      },
      [],
    );
  };

  it('runs where they are as submitted', async () => {
    const { run } = await submit(ports(), options(await call()));
    const ended = await endOf(run);
    expect(ended).toMatchObject({ state: 'FINISHED' });
    expect(await stdoutOf(ended)).toBe('good');
  });

  it('does not run where one of them is altered', async () => {
    const work = await call();
    const [, rules] = work.files;
    if (rules === undefined) throw new Error('the second file is missing');
    const failure: unknown = await submit(
      portsWith(() => alter(storedPathOf(rules))),
      options(work),
    ).catch((error: unknown) => error);
    const message =
      failure instanceof Error ? failure.message : (await endOf((failure as { run: JobRun }).run)).error;
    expect(message).toMatch(/ProgramRefused: rules.py has SHA-256 /);
    expect(existsSync(marker())).toBe(false);
  });
});
