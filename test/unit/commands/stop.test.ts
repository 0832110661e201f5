import { describe, expect, it } from 'vitest';
import { listRuns } from '../../../src/commands/runs.js';
import { stop } from '../../../src/commands/stop.js';
import { submit } from '../../../src/commands/submit.js';
import { UnreachableError, UsageError } from '../../../src/core/errors.js';
import { aRun } from '../../support/memory-runs.js';
import { SubmissionWorld } from '../../support/submission-world.js';

const signal = new AbortController().signal;
const asked = { kill: false, timeoutMs: 60_000, signal };

async function running(): Promise<SubmissionWorld> {
  const world = new SubmissionWorld();
  await submit(world.ports, world.options());
  return world;
}

describe('stop', () => {
  it('asks through the book of runs and returns when the job has ended', async () => {
    const world = await running();
    const stopped = await stop(world.ports, { run: 'streaming', ...asked });
    expect(stopped).toMatchObject({ wasLive: true, run: { state: 'FINISHED' } });
    expect(world.spark.drivers[0]!.state).toBe('FINISHED');
  });

  it('means by a name the run that lives, also where a newer one has ended', async () => {
    const world = await running();
    const [living] = await world.ports.book.list();
    world.book.rows.set(
      'newer',
      aRun({ runId: 'newer', state: 'FAILED', createdAt: new Date(world.clock.now() + 1000) }),
    );
    expect(await stop(world.ports, { run: 'streaming', ...asked })).toMatchObject({
      wasLive: true,
      run: { runId: living?.runId, state: 'FINISHED' },
    });
    expect(await stop(world.ports, { run: 'streaming', ...asked })).toMatchObject({
      run: { runId: 'newer' },
    });
  });

  it('leaves a run that has ended as it is', async () => {
    const world = await running();
    await stop(world.ports, { run: 'streaming', ...asked });
    expect(await stop(world.ports, { run: 'streaming', ...asked })).toMatchObject({ wasLive: false });
  });

  it('says how to use force when the job does not end in time', async () => {
    const world = await running();
    world.book.requestStop = () => Promise.resolve();
    const failure: unknown = await stop(world.ports, { run: 'streaming', ...asked }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(failure).toMatchObject({ nextStep: expect.stringContaining('--kill') as string });
  });

  it('kills by REST and writes down that it did, whatever the dying job wrote', async () => {
    const world = await running();
    const kill = world.spark.kill.bind(world.spark);
    world.spark.kill = async (id) => {
      await world.book.setState('20261123t211500-000001', 'FAILED', 'Py4JNetworkError');
      return kill(id);
    };
    const stopped = await stop(world.ports, { run: 'streaming', ...asked, kill: true });
    expect(stopped.run).toMatchObject({
      state: 'KILLED',
      error: 'killed by `cryptopipe stop --kill`',
      stopRequestedAt: expect.any(Date) as Date,
    });
  });

  it('finds a run by the beginning of its id, and refuses one that fits two', async () => {
    const world = new SubmissionWorld([
      aRun({ runId: '20261123t211500-aa', state: 'FINISHED' }),
      aRun({ runId: '20261123t211501-bb', state: 'FINISHED' }),
    ]);
    const found = await stop(world.ports, { run: '20261123t211501', ...asked });
    expect(found.run.runId).toBe('20261123t211501-bb');
    await expect(stop(world.ports, { run: '2026', ...asked })).rejects.toThrow('2 runs begin with 2026');
    await expect(stop(world.ports, { run: 'x', ...asked })).rejects.toThrow(UsageError);
  });
});

describe('runs', () => {
  it('shows how a run ended whose driver died unseen', async () => {
    const world = await running();
    world.spark.drivers[0]!.state = 'KILLED';
    const { runs } = await listRuns(world.ports, { limit: 20 });
    expect(runs).toMatchObject([{ state: 'KILLED', driverState: 'KILLED' }]);
  });

  it('shows what is written down where Spark does not answer', async () => {
    const world = await running();
    world.spark.isDown = true;
    const { runs, unreachable } = await listRuns(world.ports, { limit: 20 });
    expect(runs).toMatchObject([{ state: 'RUNNING' }]);
    expect(unreachable).toBeInstanceOf(UnreachableError);
  });
});
