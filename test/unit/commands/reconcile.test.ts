import { describe, expect, it } from 'vitest';
import { reconcile, type ReconcilePorts } from '../../../src/commands/reconcile.js';
import { follow } from '../../../src/commands/follow.js';
import { stop } from '../../../src/commands/stop.js';
import { submit, type SubmitOptions } from '../../../src/commands/submit.js';
import { JobFailedError, UnreachableError, UsageError } from '../../../src/core/errors.js';
import type { JobRun } from '../../../src/core/ports/runs.js';
import type { Work } from '../../../src/core/submission.js';
import { FakeClock } from '../../support/fake-clock.js';
import { aRun } from '../../support/memory-runs.js';
import { streamingWork, SubmissionWorld } from '../../support/submission-world.js';

const hourMs = 3_600_000;
const written = Date.UTC(2026, 10, 23, 21, 15);

/** A run as the book gives it after so long, asked for from a computer whose clock goes wrong by so much. */
async function seen(run: JobRun, { afterMs, clockErrorMs }: { afterMs: number; clockErrorMs: number }) {
  const world = new SubmissionWorld([run]);
  await world.clock.sleep(afterMs);
  const ports: ReconcilePorts = { ...world.ports, clock: new FakeClock(world.clock.now() + clockErrorMs) };
  const found = await ports.book.find(run.runId);
  return (await reconcile(ports, found!)).run.state;
}

describe('the age of a run', () => {
  const posted = aRun({ createdAt: new Date(written) });
  const beating = aRun({ state: 'RUNNING', submissionId: 'forgotten', heartbeatAt: new Date(written) });

  it.each([hourMs, 0, -hourMs])(
    'is measured by the clock that wrote it (caller %i ms ahead)',
    async (error) => {
      expect(await seen(posted, { afterMs: 2000, clockErrorMs: error })).toBe('PENDING');
      expect(await seen(posted, { afterMs: 20_000, clockErrorMs: error })).toBe('LOST');
      expect(await seen(beating, { afterMs: 2000, clockErrorMs: error })).toBe('RUNNING');
      expect(await seen(beating, { afterMs: 40_000, clockErrorMs: error })).toBe('LOST');
    },
  );
});

const supervised = { work: { ...streamingWork, supervise: true } };
const unsupervised = { work: { ...streamingWork, supervise: false } };

/** A run that runs, as the book and the cluster have it. */
async function running(
  values: Partial<SubmitOptions> = unsupervised,
): Promise<{ world: SubmissionWorld; runId: string }> {
  const world = new SubmissionWorld();
  const { run } = await submit(world.ports, world.options(values));
  world.book.change(run.runId, { heartbeatAt: new Date(world.clock.now()) });
  return { world, runId: run.runId };
}

async function look({ world, runId }: { world: SubmissionWorld; runId: string }) {
  const { run, driverState, situation } = await reconcile(world.ports, world.book.read(runId));
  return {
    state: run.state,
    submissionId: run.submissionId,
    driverState,
    situation: situation.name,
    error: run.error,
  };
}

describe('a supervised run whose worker was lost', () => {
  it('is relaunching until a worker takes its new driver, then has that one', async () => {
    const seen = await running(supervised);
    seen.world.spark.loseWorker();
    await seen.world.clock.sleep(120_000);
    expect(await look(seen)).toMatchObject({
      state: 'RUNNING',
      driverState: 'RELAUNCHING',
      situation: 'relaunching',
    });
    seen.world.spark.hasRoom = true;
    seen.world.spark.tick();
    expect(await look(seen)).toMatchObject({ state: 'RUNNING', submissionId: 'driver-20261123211500-0001' });
  });

  it('finds the newest driver, however often that happened', async () => {
    const seen = await running(supervised);
    for (let times = 0; times < 3; times += 1) {
      seen.world.spark.loseWorker();
      seen.world.spark.hasRoom = true;
      seen.world.spark.tick();
    }
    expect(await look(seen)).toMatchObject({
      submissionId: 'driver-20261123211500-0003',
      driverState: 'RUNNING',
    });
  });

  it('is not lost where the master restarted and knows the new driver alone', async () => {
    const seen = await running(supervised);
    seen.world.spark.loseWorker();
    seen.world.spark.drivers.shift();
    await seen.world.clock.sleep(120_000);
    expect(await look(seen)).toMatchObject({ state: 'RUNNING', driverState: 'GONE', situation: 'unclear' });
    seen.world.spark.hasRoom = true;
    seen.world.spark.tick();
    expect(await look(seen)).toMatchObject({
      submissionId: 'driver-20261123211500-0001',
      driverState: 'RUNNING',
    });
  });

  it('is lost where the master knows no driver of it and the job is silent', async () => {
    const seen = await running(supervised);
    seen.world.spark.drivers.splice(0);
    expect(await look(seen)).toMatchObject({ state: 'RUNNING', situation: 'forgotten' });
    await seen.world.clock.sleep(40_000);
    expect(await look(seen)).toMatchObject({ state: 'LOST', situation: 'lost' });
  });
});

describe('a run whose process has left its last word, because its JVM went', () => {
  const lastError = "the driver's JVM ended under it: killed, or out of memory";

  it.each([
    ['KILLED', 'KILLED', 'driver KILLED: it was killed on request'],
    ['FAILED', 'FAILED', `driver FAILED: its process ended with another exit code than 0; ${lastError}`],
    ['GONE', 'LOST', 'driver GONE: the master does not know it; it may have restarted since'],
  ])('ends as Spark says: %s', async (driverState, state, error) => {
    const seen = await running();
    seen.world.book.change(seen.runId, { brokeOff: true, lastError });
    if (driverState === 'GONE') seen.world.spark.drivers.splice(0);
    else seen.world.spark.drivers[0]!.state = driverState;
    expect(await look(seen)).toMatchObject({ state, error });
  });

  it('goes on where Spark starts it again', async () => {
    const seen = await running(supervised);
    seen.world.book.change(seen.runId, { brokeOff: true, lastError });
    expect(await look(seen)).toMatchObject({ state: 'RUNNING', situation: 'running' });
  });
});

describe('a run without supervise whose worker was lost', () => {
  it('may live while the job said a moment ago that it does, then has failed', async () => {
    const seen = await running();
    seen.world.spark.loseWorker();
    expect(await look(seen)).toMatchObject({ state: 'RUNNING', situation: 'worker lost' });
    await seen.world.clock.sleep(11_000);
    expect(await look(seen)).toMatchObject({
      state: 'FAILED',
      error: 'driver ERROR: its worker was lost, and the driver with it',
    });
  });

  it('has failed at once where its process could not be started', async () => {
    const seen = await running();
    const message = 'java.io.IOException: no such jar\n  at x';
    seen.world.spark.driver = (submissionId) =>
      Promise.resolve({
        submissionId,
        driverState: 'ERROR',
        workerId: undefined,
        workerHostPort: undefined,
        message,
      });
    expect(await look(seen)).toMatchObject({
      state: 'FAILED',
      error: 'driver ERROR: its process could not be started; IOException: no such jar',
    });
  });
});

describe('a run whose program the worker has refused', () => {
  const refused = 'ProgramRefused: streaming.py has SHA-256 1, but 2 was submitted';

  it('is FAILED for that reason, although its supervised driver ends with 0', async () => {
    const seen = await running(supervised);
    Object.assign(seen.world.spark.drivers[0]!, { state: 'FINISHED', stdout: `${refused}\n` });
    expect(await look(seen)).toMatchObject({
      state: 'FAILED',
      situation: 'failed',
      error: `driver FINISHED without a run of the program; ${refused}`,
    });
  });

  it('is FAILED for that reason where nothing supervises it', async () => {
    const seen = await running(unsupervised);
    Object.assign(seen.world.spark.drivers[0]!, { state: 'FAILED', stdout: `${refused}\n` });
    expect(await look(seen)).toMatchObject({
      state: 'FAILED',
      error: `driver FAILED: its process ended with another exit code than 0; ${refused}`,
    });
  });

  it('is not taken as FINISHED while its log, which tells, cannot be read', async () => {
    const seen = await running(supervised);
    Object.assign(seen.world.spark.drivers[0]!, { state: 'FINISHED' });
    seen.world.spark.driverLog = () => Promise.reject(new UnreachableError('no worker has it'));
    expect((await look(seen)).state).not.toBe('FINISHED');
    const alone = await running(unsupervised);
    Object.assign(alone.world.spark.drivers[0]!, { state: 'FINISHED' });
    alone.world.spark.driverLog = () => Promise.reject(new UnreachableError('no worker has it'));
    expect(await look(alone)).toMatchObject({ state: 'FINISHED' });
  });

  it('is not every run that has FINISHED', async () => {
    const seen = await running(supervised);
    Object.assign(seen.world.spark.drivers[0]!, { state: 'FINISHED', stdout: 'done\n' });
    expect(await look(seen)).toMatchObject({ state: 'FINISHED', error: undefined });
  });
});

describe('a program that does not register itself', () => {
  const program = { kind: 'jar', address: 'hdfs://nn/pi.jar', mainClass: 'Pi', args: [], jars: [] } as const;
  const jar = { ...streamingWork, single: false, registersItself: false, files: [], program };

  async function posted(work: Work = jar) {
    const world = new SubmissionWorld();
    world.spark.registersAfterMs = Infinity;
    const { run } = await submit(world.ports, world.options({ work }));
    return { world, runId: run.runId };
  }

  it('runs when Spark says that its driver does, and ends by its state alone', async () => {
    const seen = await posted();
    expect(await look(seen)).toMatchObject({ state: 'RUNNING', situation: 'running' });
    await seen.world.clock.sleep(600_000);
    expect(await look(seen)).toMatchObject({ state: 'RUNNING', situation: 'running' });
    seen.world.spark.drivers[0]!.state = 'FINISHED';
    expect(await look(seen)).toMatchObject({ state: 'FINISHED', error: undefined });
  });

  it('has the application that bears its name, or that its log names', async () => {
    const byName = await posted();
    byName.world.spark.apps.push({
      ...{ id: 'app-7', name: `x-${byName.runId}`, state: 'RUNNING', cores: 1 },
      pageUrl: 'http://master/app-7',
    });
    await look(byName);
    expect(byName.world.book.read(byName.runId)).toMatchObject({
      applicationId: 'app-7',
      uiUrl: 'http://master/app-7',
    });
    const byLog = await posted();
    byLog.world.spark.drivers[0]!.stderr =
      'INFO x: Connected to Spark cluster with app ID app-20261123211854-0001\n';
    await look(byLog);
    expect(byLog.world.book.read(byLog.runId).applicationId).toBe('app-20261123211854-0001');
  });

  it('crash-loops where its log shows start after start, and not where its application lives for a minute', async () => {
    const seen = await posted({ ...jar, supervise: true });
    seen.world.spark.drivers[0]!.stderr = 'Launch Command: x\n'.repeat(5);
    expect(await look(seen)).toMatchObject({ state: 'RUNNING', situation: 'crash loop' });
    seen.world.spark.apps.push({
      id: 'app-7',
      name: `x-${seen.runId}`,
      state: 'RUNNING',
      cores: 1,
      durationMs: 61_000,
    });
    expect(await look(seen)).toMatchObject({ situation: 'running' });
  });

  it('that crash-loops is waited for no longer: exit code 5', async () => {
    const seen = await posted({ ...jar, supervise: true });
    seen.world.spark.drivers[0]!.stderr = 'Launch Command: x\n'.repeat(5);
    const options = { timeoutMs: 60_000, signal: new AbortController().signal };
    const failure: unknown = await follow(seen.world.ports, seen.world.book.read(seen.runId), options).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(JobFailedError);
    expect(failure).toMatchObject({
      nextStep: expect.stringContaining(`stop ${seen.runId} --kill`) as string,
    });
  });

  it('that is waited for in vain is ended by --kill alone, and the message says so', async () => {
    const { world, runId } = await posted();
    const options = { timeoutMs: 1000, signal: new AbortController().signal };
    await expect(follow(world.ports, world.book.read(runId), options)).rejects.toMatchObject({
      nextStep: expect.stringMatching(
        new RegExp(`end it with \`cryptopipe stop ${runId} --kill\`\\.$`),
      ) as string,
    });
  });

  it('cannot be asked to stop, only killed', async () => {
    const { world, runId } = await posted();
    const asked = { run: runId, timeoutMs: 5000, signal: new AbortController().signal };
    await expect(stop(world.ports, { ...asked, kill: false })).rejects.toThrow(UsageError);
    expect(await stop(world.ports, { ...asked, kill: true })).toMatchObject({ run: { state: 'KILLED' } });
  });

  it('that Spark starts elsewhere is killed there, and is not called killed before', async () => {
    const { world, runId } = await posted({ ...jar, supervise: true });
    world.spark.loseWorker();
    const asked = { run: runId, timeoutMs: 20_000, kill: true, signal: new AbortController().signal };
    await expect(stop(world.ports, asked)).rejects.toThrow(/was told to end and is still RELAUNCHING/);
    expect(world.book.rows.get(runId)?.state).toBe('RUNNING');
    world.spark.hasRoom = true;
    expect(await stop(world.ports, asked)).toMatchObject({ run: { state: 'KILLED' } });
    expect(world.spark.drivers.map(({ state }) => state)).toEqual(['RELAUNCHING', 'KILLED']);
  });
});

describe('stop', () => {
  const asked = { run: 'streaming', kill: false, timeoutMs: 5000, signal: new AbortController().signal };

  it('ends a driver that waits for a worker at once: it has nothing under way', async () => {
    const world = new SubmissionWorld();
    world.spark.hasRoom = false;
    await submit(world.ports, world.options({ registerTimeoutMs: 1000 })).catch(() => undefined);
    expect(await stop(world.ports, asked)).toMatchObject({ run: { state: 'KILLED' } });
    expect(world.spark.drivers[0]!.state).toBe('KILLED');
  });

  it('--kill ends a run whose next driver has no worker yet: that one finds out when it starts', async () => {
    const { world } = await running(supervised);
    world.spark.loseWorker();
    expect(await stop(world.ports, { ...asked, kill: true })).toMatchObject({ run: { state: 'KILLED' } });
  });

  it('leaves a run to its stop when the wait is interrupted', async () => {
    const { world } = await running();
    world.spark.tick = () => undefined;
    const failure: unknown = await stop(world.ports, { ...asked, signal: AbortSignal.abort() }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ exitCode: 130 });
  });
});
