import { describe, expect, it } from 'vitest';
import { follow } from '../../../src/commands/follow.js';
import { submit, type SubmitPorts } from '../../../src/commands/submit.js';
import { JobFailedError, RefusedError, UnreachableError } from '../../../src/core/errors.js';
import { aRun } from '../../support/memory-runs.js';
import { streamingWork, SubmissionWorld } from '../../support/submission-world.js';

class Crash extends Error {}

/** Ports whose process dies before or after the `step`-th call; `count` tells how many calls there were. */
function crashing(ports: SubmitPorts, step: number, when: 'before' | 'after') {
  let count = 0;
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (inner, name) => {
        const member: unknown = Reflect.get(inner, name);
        if (typeof member !== 'function' || name === 'now') return member;
        return async (...args: unknown[]) => {
          count += 1;
          if (when === 'before' && count === step) throw new Crash();
          const result: unknown = await Reflect.apply(member, inner, args);
          if (when === 'after' && count === step) throw new Crash();
          return result;
        };
      },
    });
  const wrapped = { ...ports, book: wrap(ports.book), spark: wrap(ports.spark), files: wrap(ports.files) };
  return { ports: { ...wrapped, clock: wrap(ports.clock) }, calls: () => count };
}

async function callsOfOneSubmit(): Promise<number> {
  const world = new SubmissionWorld();
  const counted = crashing(world.ports, -1, 'before');
  await submit(counted.ports, world.options());
  return counted.calls();
}

describe('submit', () => {
  it('stores the text by its hash, posts once and returns when the job has registered itself', async () => {
    const world = new SubmissionWorld();
    const submitted = await submit(world.ports, world.options());
    expect(submitted).toMatchObject({
      outcome: 'submitted',
      isRegistered: true,
      run: { runId: '20261123t211500-000001', state: 'RUNNING', submissionId: 'driver-20261123211500-0000' },
    });
    expect([...world.files.files.keys()]).toEqual([streamingWork.program.address]);
    expect(world.runIdsPosted()).toEqual(['20261123t211500-000001']);
  });

  it('never posts a run twice nor leaves two alive, wherever an earlier call died', async () => {
    const calls = await callsOfOneSubmit();
    expect(calls).toBeGreaterThan(8);
    for (const when of ['before', 'after'] as const) {
      for (let step = 1; step <= calls; step += 1) {
        const world = new SubmissionWorld();
        const dying = crashing(world.ports, step, when);
        await expect(submit(dying.ports, world.options()), `${when} ${step}`).rejects.toThrow(Crash);
        const second = await submit(world.ports, world.options());
        expect(second.run.state, `${when} ${step}`).toBe('RUNNING');
        const posted = world.runIdsPosted();
        expect(new Set(posted).size, `${when} ${step}`).toBe(posted.length);
        expect(world.spark.drivers.filter((driver) => driver.state === 'RUNNING')).toHaveLength(1);
      }
    }
  });

  it('adopts the driver of a call that died between the POST and its answer', async () => {
    const world = new SubmissionWorld();
    world.spark.registersAfterMs = 60_000;
    world.spark.onCreate = 'start and time out';
    await expect(submit(world.ports, world.options())).rejects.toThrow(/Nobody knows whether run/);
    world.spark.onCreate = 'answer';
    const second = await submit(world.ports, world.options());
    expect(second).toMatchObject({
      outcome: 'adopted',
      run: { runId: '20261123t211500-000001', submissionId: 'driver-20261123211500-0000' },
    });
    expect(world.spark.posts).toHaveLength(1);
  });

  it('says that a run may have ended unseen where the log of an ended driver is gone', async () => {
    const world = new SubmissionWorld();
    world.spark.onCreate = 'start and time out';
    await expect(submit(world.ports, world.options())).rejects.toThrow(UnreachableError);
    Object.assign(world.spark.drivers[0]!, { state: 'FAILED', isPlaced: false });
    world.spark.onCreate = 'answer';
    await submit(world.ports, world.options());
    expect(world.book.rows.get('20261123t211500-000001')).toMatchObject({
      state: 'LOST',
      error: 'it never arrived at Spark, or has ended there: the log of driver-20261123211500-0000 is gone',
    });
  });

  it('says that a run never arrived, and then submits a new one', async () => {
    const world = new SubmissionWorld();
    world.spark.onCreate = 'time out';
    await expect(submit(world.ports, world.options())).rejects.toThrow(UnreachableError);
    expect(world.book.rows.get('20261123t211500-000001')?.state).toBe('PENDING');
    world.spark.onCreate = 'answer';
    const second = await submit(world.ports, world.options());
    expect(second).toMatchObject({ outcome: 'submitted', run: { runId: '20261123t211500-000002' } });
    expect(world.book.rows.get('20261123t211500-000001')).toMatchObject({
      state: 'LOST',
      error: 'it never arrived at Spark',
    });
  });

  it('does not give up a run that a waiting driver may be', async () => {
    const world = new SubmissionWorld();
    world.spark.hasRoom = false;
    world.spark.onCreate = 'start and time out';
    await expect(submit(world.ports, world.options())).rejects.toThrow(UnreachableError);
    world.spark.onCreate = 'answer';
    await expect(submit(world.ports, world.options())).rejects.toThrow(
      /driver-20261123211500-0000 has not started yet and may be it \(worker-1 has 0 of 4 cores/,
    );
    expect(world.spark.posts).toHaveLength(1);
  });

  it.each([
    ['start and time out', 'adopted', 1],
    ['time out', 'submitted', 1],
  ] as const)(
    'of a job that may run many times finds the run of a call that died (%s), and doubles nothing',
    async (onCreate, outcome, posts) => {
      const world = new SubmissionWorld();
      const work = { ...streamingWork, single: false };
      world.spark.registersAfterMs = 60_000;
      world.spark.onCreate = onCreate;
      await expect(submit(world.ports, world.options({ work }))).rejects.toThrow(/Nobody knows whether run/);
      world.spark.onCreate = 'answer';
      expect(await submit(world.ports, world.options({ work }))).toMatchObject({ outcome });
      expect(world.spark.posts).toHaveLength(posts);
      // What is known to run stands in nobody's way, and other work is other work.
      await submit(world.ports, world.options({ work }));
      expect(world.spark.posts).toHaveLength(posts + 1);
    },
  );

  it('of a job that may run many times takes no run of other work, nor of a call that lives', async () => {
    const world = new SubmissionWorld();
    const work = { ...streamingWork, single: false };
    world.spark.onCreate = 'start and time out';
    await expect(submit(world.ports, world.options({ work }))).rejects.toThrow(/Nobody knows/);
    world.spark.onCreate = 'answer';
    const other = { ...work, sparkSettings: { 'spark.x': '1' } };
    const asIfDying = { submissionId: undefined, state: 'PENDING' } as const;
    expect(await submit(world.ports, world.options({ work: other }))).toMatchObject({ outcome: 'submitted' });
    world.book.change('20261123t211500-000001', asIfDying);
    const { id } = world.spark.drivers[0]!;
    world.clock.onSleep.push(() => void world.book.setSubmission('20261123t211500-000001', id));
    expect(await submit(world.ports, world.options({ work }))).toMatchObject({ outcome: 'submitted' });
    expect(world.spark.posts).toHaveLength(3);
  });

  it('leaves a run that is running alone and says so', async () => {
    const world = new SubmissionWorld();
    await submit(world.ports, world.options());
    const second = await submit(world.ports, world.options());
    expect(second).toMatchObject({ outcome: 'already running', run: { runId: '20261123t211500-000001' } });
    expect(world.spark.posts).toHaveLength(1);
  });

  it('gives two calls at the same time one run', async () => {
    const world = new SubmissionWorld();
    const both = await Promise.all([
      submit(world.ports, world.options()),
      submit(world.ports, world.options()),
    ]);
    expect(new Set(both.map(({ run }) => run.runId)).size).toBe(1);
    expect(world.spark.posts).toHaveLength(1);
  });

  it.each([
    ['KILLED', 'KILLED'],
    ['ERROR', 'FAILED'],
    ['FAILED', 'FAILED'],
    [undefined, 'LOST'],
  ])('writes down a run whose driver is %s as %s before it submits another', async (driverState, state) => {
    const world = new SubmissionWorld();
    await submit(world.ports, world.options());
    if (driverState === undefined) world.spark.drivers.splice(0);
    else world.spark.drivers[0]!.state = driverState;
    const second = await submit(world.ports, world.options());
    expect(second).toMatchObject({ outcome: 'submitted', run: { runId: '20261123t211500-000002' } });
    expect(world.book.rows.get('20261123t211500-000001')?.state).toBe(state);
  });

  it('keeps a run whose driver the master forgot while the job says that it lives', async () => {
    const world = new SubmissionWorld();
    await submit(world.ports, world.options());
    world.book.change('20261123t211500-000001', { heartbeatAt: new Date(world.clock.now() - 2000) });
    world.spark.drivers.splice(0);
    expect(await submit(world.ports, world.options())).toMatchObject({ outcome: 'already running' });
  });

  it('decides nothing about a run while Spark does not answer', async () => {
    const world = new SubmissionWorld([
      aRun({ runId: 'old', state: 'RUNNING', submissionId: 'driver-20261123211500-0000' }),
    ]);
    world.spark.isDown = true;
    await expect(submit(world.ports, world.options())).rejects.toThrow(UnreachableError);
    expect(world.book.rows.get('old')?.state).toBe('RUNNING');
    expect(world.book.rows.size).toBe(1);
  });

  it('writes down nothing while the master is no leader', async () => {
    const world = new SubmissionWorld();
    world.spark.status = 'RECOVERING';
    await expect(submit(world.ports, world.options())).rejects.toThrow(/is RECOVERING/);
    expect(world.book.rows.size).toBe(0);
  });

  it('ends a run that Spark refused', async () => {
    const world = new SubmissionWorld();
    world.spark.onCreate = 'refuse';
    await expect(submit(world.ports, world.options())).rejects.toThrow(RefusedError);
    expect(world.book.rows.get('20261123t211500-000001')).toMatchObject({
      state: 'FAILED',
      error: 'Spark refused the submission: no',
    });
  });

  it('shows the traceback of a job that dies before it has registered', async () => {
    const world = new SubmissionWorld();
    world.spark.registersAfterMs = 60_000;
    world.clock.onSleep.push(() => {
      const driver = world.spark.drivers[0]!;
      driver.state = 'FAILED';
      driver.stdout = 'hello\nTraceback (most recent call last):\n  File "x"\nImportError: no psycopg\n';
    });
    const failure: unknown = await submit(world.ports, world.options()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(JobFailedError);
    expect(failure).toMatchObject({
      exitCode: 5,
      logTail: 'Traceback (most recent call last):\n  File "x"\nImportError: no psycopg',
      message: expect.stringContaining('ImportError: no psycopg') as string,
    });
    expect(world.book.rows.get('20261123t211500-000001')?.state).toBe('FAILED');
  });

  it('does not take the last warning of Spark for the reason of a job that was killed from outside', async () => {
    const world = new SubmissionWorld();
    await submit(world.ports, world.options());
    Object.assign(world.spark.drivers[0]!, { state: 'FAILED', stderr: 'WARN something else\n' });
    await submit(world.ports, world.options());
    expect(world.book.rows.get('20261123t211500-000001')?.error).toBe(
      'driver FAILED: its process ended with another exit code than 0; its log names no error: killed, or out of memory',
    );
  });

  it('names free cores and memory where no worker takes the driver', async () => {
    const world = new SubmissionWorld();
    world.spark.hasRoom = false;
    const start = world.clock.now();
    await expect(submit(world.ports, world.options({ registerTimeoutMs: 5000 }))).rejects.toThrow(
      /waiting for room, .* \(it wants 1 core and 1024 MB; worker-1 has 0 of 4 cores and 2048 of 4096 MB free\)/,
    );
    expect(world.clock.now() - start).toBe(5000);
  });

  it('leaves the run alone when the wait is interrupted', async () => {
    const world = new SubmissionWorld();
    const stop = new AbortController();
    world.clock.onSleep.push(() => stop.abort());
    const submitted = await submit(world.ports, world.options({ signal: stop.signal }));
    expect(submitted).toMatchObject({
      outcome: 'submitted',
      isRegistered: false,
      run: { state: 'SUBMITTED' },
    });
  });

  it('sends, stores and writes down nothing that holds a secret of ours', async () => {
    const world = new SubmissionWorld();
    const secrets = [{ name: 'SPARK_REST_KEY', value: 'canary-1' }];
    const work = { ...world.options().work, sparkSettings: { 'spark.x': 'canary-1' } };
    const tried = submit(world.ports, world.options({ secrets, work }));
    await expect(tried).rejects.toThrow(/^The value of SPARK_REST_KEY stands in request\.appArgs\[\d+\]$/);
    expect(world.spark.posts).toEqual([]);
    expect(world.files.files.size).toBe(0);
    expect(await world.book.list({})).toEqual([]);
  });

  it('writes down what was asked for, by whom, and what Spark was sent', async () => {
    const world = new SubmissionWorld();
    const { run } = await submit(world.ports, world.options({ replaces: 'earlier' }));
    expect(run).toMatchObject({ submittedBy: 'somebody@somewhere', replaces: 'earlier', supervise: true });
    expect(run.parameters).toMatchObject({ topic: 'crypto_raw', hot_interval_ms: 500 });
    expect(run.request).toEqual(world.spark.posts[0]);
  });
});

describe('follow', () => {
  it('returns a run that FINISHED', async () => {
    const world = new SubmissionWorld();
    const { run } = await submit(world.ports, world.options());
    await world.book.requestStop(run.runId);
    const signal = new AbortController().signal;
    expect(await follow(world.ports, run, { timeoutMs: 10_000, signal })).toMatchObject({
      state: 'FINISHED',
    });
  });

  it('fails for a run that was killed, and for a wait that is over', async () => {
    const world = new SubmissionWorld();
    const { run } = await submit(world.ports, world.options());
    const options = { timeoutMs: 3000, signal: new AbortController().signal };
    await expect(follow(world.ports, run, options)).rejects.toThrow(/goes on \(RUNNING, running: it works\)/);
    world.spark.drivers[0]!.state = 'KILLED';
    await expect(follow(world.ports, run, options)).rejects.toThrow(JobFailedError);
  });
});
