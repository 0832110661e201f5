import { describe, expect, it } from 'vitest';
import { readFailure, readLogs } from '../../../src/commands/logs.js';
import { UnreachableError } from '../../../src/core/errors.js';
import { LogWorld } from '../../support/log-world.js';
import { aRun } from '../../support/memory-runs.js';

describe('logs', () => {
  it('gives the last lines of each stream, the unfinished one too', async () => {
    const world = new LogWorld();
    const { run, id } = await world.running();
    world.workerLogs.log(`${id} stdout`).append('a\nb\nc\nd');
    world.workerLogs.log(`${id} stderr`).append('WARN x\n');
    const log = await readLogs(world.logPorts, run, {
      of: 'driver',
      streams: ['stderr', 'stdout'],
      begin: 2,
    });
    expect(log.streams.map(({ stream, text }) => [stream, text])).toEqual([
      ['stderr', 'WARN x'],
      ['stdout', 'c\nd'],
    ]);
    expect(log.missing).toEqual([]);
  });

  it('finds the executors by the name of the application, or by what the log of the driver says', async () => {
    for (const way of ['name', 'log'] as const) {
      const world = new LogWorld();
      const { run, id } = await world.running();
      if (way === 'name')
        world.spark.apps.push({
          id: 'app-1',
          name: `CryptoStreamingJob-${run.runId}`,
          state: 'RUNNING',
          cores: 2,
        });
      else
        world.workerLogs
          .log(`${id} stderr`)
          .append('INFO StandaloneSchedulerBackend: Connected to Spark cluster with app ID app-1\n');
      world.workerLogs.ran.push(
        { applicationId: 'app-1', executorId: '0', isEnded: false },
        { applicationId: 'app-2', executorId: '0', isEnded: false },
      );
      world.workerLogs.log('app-1/0 stderr').append('task\n');
      const log = await readLogs(world.logPorts, run, { of: 'executors', streams: ['stderr'], begin: 9 });
      expect(log.streams).toEqual([
        {
          owner: { kind: 'executor', applicationId: 'app-1', executorId: '0' },
          stream: 'stderr',
          text: 'task',
        },
      ]);
    }
  });

  it('says that a run without a driver has none, and why', async () => {
    const world = new LogWorld();
    const lost = aRun({ state: 'LOST', error: 'it never arrived at Spark' });
    const wanted = { of: 'driver', streams: ['stdout'], begin: 2 } as const;
    await expect(readLogs(world.logPorts, lost, wanted)).rejects.toThrow(
      /is LOST and has no driver, so it has no log: it never arrived at Spark/,
    );
    await expect(world.followed(lost)).rejects.toThrow(/is LOST and has no driver/);
  });

  it('says what stands in the way: no room, a lost worker, a log that was cleaned up', async () => {
    const world = new LogWorld();
    const { run, id } = await world.running();
    const wanted = { of: 'driver', streams: ['stdout'], begin: 2 } as const;
    const read = (): Promise<unknown> => readLogs(world.logPorts, run, wanted);
    world.workerLogs.logs.clear();
    await expect(read()).rejects.toThrow(`The worker has no log of ${id} any more`);
    world.spark.workerState = 'DEAD';
    await expect(read()).rejects.toThrow(`the worker of ${id}, worker-1, is lost, and its log with it`);
    world.spark.drivers[0]!.isPlaced = false;
    await expect(read()).rejects.toThrow(
      /no worker has taken driver-.* yet: the master has no living worker/,
    );
    world.spark.drivers.length = 0;
    await expect(read()).rejects.toThrow(
      /the master does not know driver-.* and no living worker has its log/,
    );
  });

  it('finds the log of a driver that the master has forgotten', async () => {
    const world = new LogWorld();
    const { run, id } = await world.running();
    world.workerLogs.log(`${id} stdout`).append('still here\n');
    world.spark.drivers.length = 0;
    const log = await readLogs(world.logPorts, run, { of: 'driver', streams: ['stdout'], begin: 2 });
    expect(log.streams.map(({ text }) => text)).toEqual(['still here']);
  });
});

describe('logs --follow', () => {
  it('gives each line once until the run has ended, and what was written at the end', async () => {
    const world = new LogWorld();
    const { run, id } = await world.running();
    const stdout = world.workerLogs.log(`${id} stdout`);
    stdout.append('one\ntw');
    world.after({
      3000: () => stdout.append('o\n'),
      9000: () => world.book.change(run.runId, { state: 'FINISHED' }),
      15_000: () => {
        stdout.append('last words');
        world.spark.drivers[0]!.state = 'FINISHED';
      },
    });
    expect(await world.followed(run)).toMatchObject({ ended: 'with the run', run: { state: 'FINISHED' } });
    expect(world.lines).toEqual(['one', 'two', 'last words'].map((line) => `${id} stdout: ${line}`));
    expect(world.notices).toEqual([]);
  });

  it('prints what is there of a run that has ended, and ends', async () => {
    const world = new LogWorld();
    const { run, id } = await world.running();
    world.workerLogs.log(`${id} stdout`).append('a\nb\nc\n');
    world.spark.drivers[0]!.state = 'FINISHED';
    world.book.change(run.runId, { state: 'FINISHED' });
    await world.followed({ ...run, state: 'FINISHED' }, { begin: 2 });
    expect(world.lines).toEqual([`${id} stdout: b`, `${id} stdout: c`]);
  });

  it('ends with a run that was killed while Spark looked for another worker', async () => {
    const world = new LogWorld();
    const { run } = await world.running();
    world.spark.drivers[0]!.state = 'RELAUNCHING';
    world.after({ 9000: () => world.book.change(run.runId, { state: 'KILLED' }) });
    expect(await world.followed(run)).toMatchObject({ ended: 'with the run', run: { state: 'KILLED' } });
  });

  it('waits for a process that hangs after its run has ended, but not for long', async () => {
    const world = new LogWorld();
    const { run, id } = await world.running();
    world.book.change(run.runId, { state: 'FINISHED' });
    const stdout = world.workerLogs.log(`${id} stdout`);
    world.after({ 20_000: () => stdout.append('late\n'), 60_000: () => stdout.append('too late\n') });
    expect(await world.followed(run)).toMatchObject({ ended: 'with the run' });
    expect(world.lines).toEqual([`${id} stdout: late`]);
  });

  it('waits for a worker and says so once, then begins with the first line', async () => {
    const world = new LogWorld();
    const { run, id } = await world.running();
    const driver = world.spark.drivers[0]!;
    driver.isPlaced = false;
    world.workerLogs.log(`${id} stdout`).append('first\n');
    world.after({
      7000: () => (driver.isPlaced = true),
      20_000: () => {
        driver.state = 'FINISHED';
        world.book.change(run.runId, { state: 'FINISHED' });
      },
    });
    await world.followed(run, { begin: 0 });
    expect(world.lines).toEqual([`${id} stdout: first`]);
    expect(world.notices).toEqual([
      `no worker has taken ${id} yet: worker-1 has 4 of 4 cores and 2048 of 4096 MB free`,
    ]);
  });

  it('goes over to another driver of the same run', async () => {
    const world = new LogWorld();
    const { run, id } = await world.running();
    const [first] = world.spark.drivers;
    world.workerLogs.log(`${id} stdout`).append('old\n');
    const other = 'driver-20261123220000-0007';
    world.after({
      5000: () => {
        world.workerLogs.log(`${other} stdout`).append('new\n');
        world.spark.drivers.splice(0, 1, { ...first!, id: other });
        world.book.change(run.runId, { submissionId: other });
        world.workerLogs.log(`${id} stdout`).append('the last of the old\n');
      },
      20_000: () => {
        world.spark.drivers[0]!.state = 'FINISHED';
        world.book.change(run.runId, { state: 'FINISHED' });
      },
    });
    await world.followed(run, { begin: 0 });
    expect(world.lines.toSorted()).toEqual(
      [`${id} stdout: the last of the old`, `${other} stdout: new`].toSorted(),
    );
    expect(world.notices).toEqual([`the run goes on in another driver: ${other}`]);
  });

  it('waits a moment for the last lines of the executors', async () => {
    const world = new LogWorld();
    const { run } = await world.running();
    const executor = { applicationId: 'app-1', executorId: '0', isEnded: false };
    world.workerLogs.ran.push(executor);
    world.book.change(run.runId, { applicationId: 'app-1' });
    const stderr = world.workerLogs.log('app-1/0 stderr');
    stderr.append('task\n');
    world.after({
      9000: () => {
        world.spark.drivers[0]!.state = 'FINISHED';
        world.book.change(run.runId, { state: 'FINISHED' });
      },
      13_500: () => {
        stderr.append('shutdown\n');
        world.workerLogs.ran.splice(0, 1, { ...executor, isEnded: true });
      },
    });
    await world.followed(run, { of: 'all', streams: ['stderr'] });
    expect(world.lines).toEqual(['executor 0 stderr: task', 'executor 0 stderr: shutdown']);
  });

  it('goes on when a worker or the master does not answer for a moment', async () => {
    const world = new LogWorld();
    const { run, id } = await world.running();
    const stdout = world.workerLogs.log(`${id} stdout`);
    stdout.append('one\n');
    world.after({
      3000: () => {
        world.spark.isDown = true;
        world.workerLogs.failure = new UnreachableError('The Spark worker did not answer: ECONNREFUSED');
        stdout.append('two\n');
      },
      20_000: () => {
        world.spark.isDown = false;
        world.workerLogs.failure = undefined;
      },
      30_000: () => {
        world.spark.drivers[0]!.state = 'FINISHED';
        world.book.change(run.runId, { state: 'FINISHED' });
      },
    });
    await world.followed(run);
    expect(world.lines).toEqual([`${id} stdout: one`, `${id} stdout: two`]);
    expect(world.notices.toSorted()).toEqual([
      "Spark's REST server did not answer: ECONNREFUSED",
      'The Spark worker did not answer: ECONNREFUSED',
    ]);
  });

  it('gives up when Spark has been silent for two minutes', async () => {
    const world = new LogWorld();
    const { run } = await world.running();
    world.spark.isDown = true;
    const begun = world.clock.now();
    await expect(world.followed(run)).rejects.toThrow(UnreachableError);
    expect(world.clock.now() - begun).toBeGreaterThanOrEqual(120_000);
  });

  it('ends with a Ctrl-C and leaves the run alone', async () => {
    const world = new LogWorld();
    const { run } = await world.running();
    world.after({ 5000: () => world.stop.abort() });
    expect(await world.followed(run)).toMatchObject({ ended: 'interrupted', run: { state: 'RUNNING' } });
    expect(world.spark.drivers[0]!.state).toBe('RUNNING');
  });
});

describe('the failure of a run', () => {
  it('is what its log says of it, and nothing for a run that did not fail', async () => {
    const world = new LogWorld();
    const { run } = await world.running();
    world.spark.drivers[0]!.stdout =
      'working\nTraceback (most recent call last):\n  File "x"\nValueError: no\n';
    expect(await readFailure(world.logPorts, run)).toBe('');
    expect(await readFailure(world.logPorts, { ...run, state: 'FAILED' })).toBe(
      'Traceback (most recent call last):\n  File "x"\nValueError: no',
    );
  });
});
