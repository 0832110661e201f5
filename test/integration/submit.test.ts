import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCatalogue, requireSound } from '../../src/adapters/job-catalogue.js';
import { follow } from '../../src/commands/follow.js';
import { readLogs } from '../../src/commands/logs.js';
import { stop } from '../../src/commands/stop.js';
import { workOf } from '../../src/commands/render.js';
import { submit, type SubmitOptions, type SubmitPorts } from '../../src/commands/submit.js';
import { createApp, type App } from '../../src/compose.js';
import { JobFailedError } from '../../src/core/errors.js';
import { findJob } from '../../src/core/job.js';
import { submissionRequest, type Work } from '../../src/core/submission.js';
import { startStack, type TestStack } from '../support/stack.js';

let stack: TestStack;
let app: App;

/** The sample job's work, with another template store than the shipped one: nothing of it is shared. */
const workEnding = (ending: string): Work => {
  const folder = join(import.meta.dirname, '../fixtures/sample-job');
  const [job] = requireSound(readCatalogue([folder], findJob('streaming', app.jobs).connection));
  if (job === undefined) throw new Error('there is no sample job');
  return workOf(app.templates, job, [`ending=${ending}`]);
};

const ports = (): SubmitPorts => {
  const { files, book, spark, clock } = app;
  return { files, book, spark, clock, say: () => undefined };
};

const options = (ending: string, values: Partial<SubmitOptions> = {}): SubmitOptions => ({
  work: workEnding(ending),
  runId: app.newRunId(),
  hdfsRoot: app.config.hdfs.root,
  cluster: app.clusterView,
  submittedBy: 'a test',
  secrets: app.secrets,
  registerTimeoutMs: 90_000,
  signal: new AbortController().signal,
  ...values,
});

const waiting = { timeoutMs: 60_000, signal: new AbortController().signal };

beforeAll(async () => {
  stack = await startStack({
    name: 'submit',
    portOffset: 13_000,
    only: ['postgres', 'data-node', 'spark-worker'],
  });
  app = createApp(stack.config);
  await app.schema.migrate();
});

afterAll(async () => {
  await app.close();
  await stack.stop();
});

describe('a run on a real Spark', () => {
  it('registers itself, ends FINISHED, and its output can be read', async () => {
    const submitted = await submit(ports(), options('ends'));
    const run = await follow(ports(), submitted.run, waiting);
    expect(run).toMatchObject({
      state: 'FINISHED',
      submissionId: expect.stringMatching(/^driver-/) as string,
    });
    const stored = await app.files.read(run.jobPath);
    expect(new TextDecoder().decode(stored)).toContain('ENDING = "ends"');
    const log = await readLogs(app, run, { of: 'driver', streams: ['stdout'], begin: 5 });
    expect(log.streams).toMatchObject([{ stream: 'stdout', text: `registered 1 ${run.runId}` }]);
  });

  it('that fails is FAILED by what Spark says, with its traceback', async () => {
    const submitted = await submit(ports(), options('fails')).catch((error: unknown) => error);
    const failure: unknown =
      submitted instanceof Error
        ? submitted
        : await follow(ports(), (submitted as { run: Parameters<typeof follow>[1] }).run, waiting).catch(
            (error: unknown) => error,
          );
    expect(failure).toBeInstanceOf(JobFailedError);
    const { logTail, message } = failure as JobFailedError;
    expect(logTail?.split('\n')[0]).toBe('Traceback (most recent call last):');
    expect(logTail?.split('\n').at(-1)).toBe('ValueError: asked to fail');
    expect(message).toMatch(/is FAILED: driver FAILED: .*; ValueError: asked to fail$/);
  });

  it('that dies before it registers fails the submission itself', async () => {
    const failure: unknown = await submit(ports(), options('dies before it registers')).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(JobFailedError);
    expect((failure as JobFailedError).logTail).toMatch(/ImportError: asked to die$/);
  });

  it('whose submission id was never written down is found by its run id and adopted', async () => {
    const lost = options('stays');
    const { work, runId, submittedBy } = lost;
    const [file] = work.files;
    if (file === undefined) throw new Error('the job has no file');
    await app.files.write(work.program.address, file.content);
    const request = submissionRequest(lost, lost.cluster);
    await app.book.open(
      {
        ...{ runId, request, submittedBy, job: work.job, templateSha256: file.sha256, appName: 'x' },
        ...{ jobPath: work.program.address, parameters: {}, supervise: false, replaces: undefined },
      },
      { single: true },
    );
    const submissionId = await app.spark.create(request);
    const second = await submit(ports(), options('stays'));
    expect(second.run).toMatchObject({ runId: lost.runId, submissionId, state: 'RUNNING' });
    expect(['adopted', 'already running']).toContain(second.outcome);
  });

  it('is one only, and stops when it is asked to', async () => {
    const again = await submit(ports(), options('stays'));
    expect(again.outcome).toBe('already running');
    const stopped = await stop(app, { run: 'sample', kill: false, ...waiting });
    expect(stopped).toMatchObject({ wasLive: true, run: { runId: again.run.runId, state: 'FINISHED' } });
  });

  it('is KILLED by force', async () => {
    const { run } = await submit(ports(), options('stays'));
    const stopped = await stop(app, { run: run.runId, kill: true, ...waiting });
    expect(stopped.run).toMatchObject({ state: 'KILLED', stopRequestedAt: expect.any(Date) as Date });
    expect((await app.spark.driver(stopped.run.submissionId ?? '')).driverState).toBe('KILLED');
  });

  it('that no worker has room for says how much room there is', async () => {
    const work = workEnding('ends');
    const large = { ...work, resources: { ...work.resources, driverCores: 64 } };
    await expect(submit(ports(), options('ends', { work: large, registerTimeoutMs: 2000 }))).rejects.toThrow(
      /waiting for room, .*\(it wants 64 cores and 512 MB; worker-.* has \d of \d cores and \d+ of 4096 MB free; no worker is large enough/,
    );
    const stopped = await stop(app, { run: 'sample', kill: true, ...waiting });
    expect(stopped.run.state).toBe('KILLED');
  });
});

describe('WebHDFS', () => {
  it('writes, reads, lists and removes what it was given', async () => {
    const { files } = app;
    const bytes = new Uint8Array(300_000).map((_, index) => index % 251);
    await files.write('/tmp/a b/one=1', bytes);
    expect(await files.stat('/tmp/a b/one=1')).toMatchObject({ isFolder: false, sizeBytes: 300_000 });
    expect(await files.read('/tmp/a b/one=1', { offset: 299_998, length: 2 })).toEqual(
      Buffer.from(bytes.slice(299_998)),
    );
    expect((await files.list('/tmp/a b')).map(({ path }) => path)).toEqual(['/tmp/a b/one=1']);
    await files.remove('/tmp/a b');
    expect(await files.stat('/tmp/a b')).toBeUndefined();
    expect(await files.list('/tmp/a b')).toEqual([]);
  });
});
