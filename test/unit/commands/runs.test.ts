import { describe, expect, it } from 'vitest';
import { listRuns, showRun } from '../../../src/commands/runs.js';
import { aRun } from '../../support/memory-runs.js';
import { SubmissionWorld } from '../../support/submission-world.js';

const begin = Date.UTC(2026, 10, 23, 21, 15);
const at = (seconds: number): Date => new Date(begin + seconds * 1000);

const past = (): SubmissionWorld =>
  new SubmissionWorld([
    aRun({ runId: 'a', state: 'FINISHED', createdAt: at(-300) }),
    aRun({ runId: 'b', state: 'FAILED', error: 'ValueError: x', createdAt: at(-200) }),
    aRun({ runId: 'c', state: 'LOST', job: 'quality', createdAt: at(-100) }),
  ]);

describe('runs', () => {
  it.each([
    [{}, ['c', 'b', 'a']],
    [{ state: 'FAILED' as const }, ['b']],
    [{ job: 'quality' }, ['c']],
    [{ since: at(-250) }, ['c', 'b']],
    [{ live: true }, []],
    [{ limit: 1 }, ['c']],
  ])('of %j are %j, newest first', async (filter, expected) => {
    const { runs } = await listRuns(past().ports, filter);
    expect(runs.map(({ runId }) => runId)).toEqual(expected);
  });

  it.each([
    [{ limit: 1 }, ['c', 'old']],
    [{ limit: 4 }, ['c', 'b', 'a', 'old']],
    [{ limit: 1, live: true }, ['old']],
    [{ limit: 1, job: 'quality' }, ['c']],
    [{ limit: 1, live: false }, ['c']],
  ])('have every living one, however many are newer, and none twice: %j', async (filter, expected) => {
    const world = past();
    world.book.rows.set('old', aRun({ runId: 'old', state: 'RUNNING', createdAt: at(-9000) }));
    const { runs } = await listRuns(world.ports, filter);
    expect(runs.map(({ runId }) => runId)).toEqual(expected);
  });

  it('are told in words, and as unreachable where Spark does not answer', async () => {
    const world = past();
    world.book.rows.set(
      'd',
      aRun({ runId: 'd', state: 'RUNNING', submissionId: 'driver-1', heartbeatAt: at(0) }),
    );
    world.spark.isDown = true;
    const { runs, unreachable } = await listRuns(world.ports, {});
    expect(runs.map(({ runId, state, situation }) => [runId, state, situation.name])).toEqual([
      ['d', 'RUNNING', 'unreachable'],
      ['c', 'LOST', 'lost'],
      ['b', 'FAILED', 'failed'],
      ['a', 'FINISHED', 'finished'],
    ]);
    expect(unreachable?.message).toContain('ECONNREFUSED');
  });
});

describe('runs show', () => {
  it('has the newest batch of each query, its age and that of its newest trade', async () => {
    const world = past();
    world.book.batches.push({
      ...{ query: 'hot', batchId: 7, counted: 5, repeated: 1, conflicted: 0, rejected: 0 },
      ...{ committedAt: at(-3), newestEventTime: at(-4) },
    });
    const { run, batches } = await showRun(world.ports, 'b');
    expect(run).toMatchObject({ runId: 'b', situation: { name: 'failed', isHealthy: false } });
    expect(batches).toMatchObject([{ query: 'hot', batchId: 7, agoMs: 3000, tradeAgeMs: 1000 }]);
  });
});
