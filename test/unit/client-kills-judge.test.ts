import { describe, expect, it } from 'vitest';
import { problemsOf } from '../support/client-kills/judge.js';
import { planOf } from '../support/client-kills/plan.js';

const driver = { id: 'driver-1', runId: 'one', isLive: true };
const run = { runId: 'one', state: 'RUNNING', error: undefined, submissionId: 'driver-1' } as const;
const lost = {
  runId: 'none',
  state: 'LOST',
  error: 'it never arrived at Spark',
  submissionId: undefined,
} as const;
const sound = { drivers: [driver], rows: [lost, run], posted: ['one'] };

describe('the judge of killed clients', () => {
  it('has nothing against one run with its driver, and one that never arrived', () => {
    expect(problemsOf(sound)).toEqual([]);
  });

  it.each([
    ['a driver too many', { ...sound, drivers: [driver, { ...driver, id: 'driver-2' }] }, /^2 drivers/],
    ['no driver', { ...sound, drivers: [] }, /no driver lives/],
    ['a driver that ended', { ...sound, drivers: [{ ...driver, isLive: false }] }, /no driver lives/],
    ['a driver without a run', { ...sound, rows: [{ ...run, runId: 'two' }] }, /driver-1 has no run: one/],
    ['two live runs', { ...sound, rows: [run, { ...run, runId: 'two' }] }, /2 runs are live/],
    ['a run that waits for ever', { ...sound, rows: [{ ...run, state: 'PENDING' as const }] }, /is PENDING/],
    [
      "another's driver",
      { ...sound, rows: [{ ...run, submissionId: 'driver-9' }] },
      /driver-9, not driver-1/,
    ],
    ['a run that failed', { ...sound, rows: [run, { ...lost, state: 'FAILED' as const }] }, /none is FAILED/],
    ['a run posted twice', { ...sound, posted: ['one', 'one'] }, /posted twice: one, one/],
  ])('finds %s', (_what, seen, problem) => {
    expect(problemsOf(seen).join('; ')).toMatch(problem);
  });

  it('judges the same plan for the same seed, and another for another', () => {
    expect(planOf('7', 3)).toEqual(planOf('7', 3));
    expect(planOf('7', 3)).not.toEqual(planOf('8', 3));
    const kinds = Array.from({ length: 200 }, (_, index) => planOf('7', index).fate);
    expect(new Set(kinds)).toEqual(new Set(['as usual', 'taken late', 'never taken']));
  });
});
