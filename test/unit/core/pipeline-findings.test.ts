import { describe, expect, it } from 'vitest';
import { findLag, findSpark, type Counting } from '../../../src/core/pipeline-findings.js';
import type { JobRun } from '../../../src/core/ports/runs.js';
import type { MasterReport } from '../../../src/core/ports/spark.js';
import { situationOf, type Evidence } from '../../../src/core/run-situation.js';
import { aRun as aRunAt } from '../../support/memory-runs.js';

const now = Date.UTC(2026, 10, 23, 21, 30);
const aRun = (values: Partial<JobRun>): JobRun => aRunAt({ readAt: new Date(now), ...values });
const ago = (seconds: number): Date => new Date(now - seconds * 1000);

describe('the lag of a topic', () => {
  const topic = 'crypto_raw';
  const offsets = [
    { partition: 0, earliest: 0n, latest: 100n },
    { partition: 1, earliest: 10n, latest: 50n },
  ];
  const lives = aRun({
    state: 'RUNNING',
    createdAt: ago(7200),
    startedAt: ago(7200),
    heartbeatAt: ago(1),
  });
  const committed = (partition: number, next: bigint, seconds = 1) => ({
    topic,
    partition,
    next,
    ageMs: seconds * 1000,
  });
  const all = (seconds: number) => [committed(0, 100n, seconds), committed(1, 50n, seconds)];
  const some = (seconds: number) => [committed(0, 90n, seconds)];

  it('is what the last committed hot batch has not seen, a partition without one from its beginning', () => {
    const finding = findLag(topic, offsets, { committed: some(1), runs: [lives] });
    expect(finding).toMatchObject({ problems: [], facts: { newestOffset: 150n, lag: 50n } });
  });

  it('of another topic does not count', () => {
    const other = [{ ...committed(0, 90n), topic: 'other' }];
    const finding = findLag(topic, offsets, { committed: other, runs: [lives] });
    expect(finding.facts).toMatchObject({ lag: 140n });
  });

  it('hides no messages that Kafka deleted before they were counted', () => {
    const finding = findLag(topic, offsets, { committed: [committed(1, 5n)], runs: [lives] });
    expect(finding.problems).toEqual(['crypto_raw 1: Kafka has deleted messages that were never counted']);
  });

  it('of a topic that does not exist is a problem', () => {
    expect(findLag(topic, [], { committed: [], runs: [] }).problems).toEqual([
      'there is no topic crypto_raw: run `cryptopipe init`',
    ]);
  });

  const problemsOf = (counting: Counting | undefined): readonly string[] =>
    findLag(topic, offsets, counting).problems;

  it('is a problem when no streaming run lives', () => {
    const other = { ...lives, job: 'other' };
    expect(problemsOf({ committed: some(1), runs: [other, { ...lives, state: 'FINISHED' }] })).toEqual([
      '50 messages wait and no streaming job runs: `cryptopipe submit streaming`',
    ]);
  });

  it('of nothing is none, though no streaming run lives: what was sent is counted', () => {
    expect(problemsOf({ committed: all(1), runs: [] })).toEqual([]);
  });

  it('is a problem when a living run has committed nothing for more than a minute', () => {
    expect(problemsOf({ committed: some(61), runs: [lives] })).toEqual([
      `50 messages wait and run ${lives.runId} has committed nothing for 61 s: see \`cryptopipe logs ${lives.runId}\``,
    ]);
    expect(problemsOf({ committed: [], runs: [lives] })[0]).toMatch(/committed nothing for 2 h/);
    expect(problemsOf({ committed: some(59), runs: [lives] })).toEqual([]);
  });

  it('is none when there is nothing to count, nor while a run has just begun or waits for its place', () => {
    expect(problemsOf({ committed: all(600), runs: [lives] })).toEqual([]);
    const begun = { ...lives, startedAt: ago(20) };
    expect(problemsOf({ committed: some(600), runs: [begun] })).toEqual([]);
    const waiting = { ...lives, state: 'SUBMITTED' as const, createdAt: ago(20), startedAt: undefined };
    expect(problemsOf({ committed: some(600), runs: [waiting] })).toEqual([]);
  });

  it('is a problem when the run has not said for long that it lives', () => {
    const silent = { ...lives, heartbeatAt: ago(40) };
    expect(problemsOf({ committed: all(1), runs: [silent] })).toEqual([
      `run ${lives.runId} has not said that it lives for 40 s`,
    ]);
  });

  it('is not claimed to be anything while PostgreSQL does not answer', () => {
    const finding = findLag(topic, offsets, undefined);
    expect(finding).toMatchObject({
      summary: 'crypto_raw: newest offset 150, nobody knows how many are counted',
      problems: [],
    });
    expect(finding.facts).not.toHaveProperty('lag');
  });
});

describe('Spark', () => {
  const worker = { id: 'worker-1', state: 'ALIVE', webUiAddress: '', cores: 4, coresFree: 1 };
  const master: MasterReport = {
    status: 'ALIVE',
    url: 'spark://127.0.0.1:7077',
    workers: [
      { ...worker, memoryMb: 4096, memoryFreeMb: 1024 },
      { ...worker, id: 'worker-0', state: 'DEAD', memoryMb: 4096, memoryFreeMb: 0 },
    ],
    drivers: [],
    apps: [],
  };

  const judged = (run: JobRun, evidence: Evidence = { driverState: 'RUNNING' }) => ({
    ...run,
    situation: situationOf(run, evidence),
  });

  it('is well with a running job that says that it lives', () => {
    const run = judged(aRun({ state: 'RUNNING', heartbeatAt: ago(2) }));
    expect(findSpark(master, [run])).toMatchObject({
      summary: `master ALIVE, 1 workers, 1 of 4 cores free; streaming RUNNING (${run.runId})`,
      problems: [],
    });
  });

  it('tells of a job that Spark has started again, and is well', () => {
    const run = judged(
      aRun({ state: 'RUNNING', heartbeatAt: ago(1), restarts: 1, starts: [ago(90), ago(20)] }),
    );
    expect(findSpark(master, [run])).toMatchObject({
      summary: expect.stringMatching(/streaming RUNNING \(.*\), started again$/) as string,
      problems: [],
    });
  });

  it('is ill with a newest run that is not well, and says what to do next', () => {
    const run = judged(aRun({ runId: 'bad', state: 'FAILED', error: 'ValueError: x' }));
    expect(findSpark(master, [run]).problems).toEqual([
      'run bad, failed: the job has ended badly, or its driver or worker died (ValueError: x). ' +
        'Next: see why: `cryptopipe logs bad`; again: `cryptopipe submit streaming`',
    ]);
  });

  it('is ill with every living run that is not well, however many are newer', () => {
    const silent = judged(
      aRun({ runId: 'old', state: 'RUNNING', heartbeatAt: ago(40), createdAt: ago(500) }),
    );
    const fine = judged(aRun({ runId: 'new', state: 'FINISHED', createdAt: ago(50) }));
    expect(findSpark(master, [fine, silent]).problems).toEqual([
      expect.stringMatching(/^run old, silent: .*40 s ago/),
    ]);
  });

  it('forgives a run that failed before a newer one that was stopped in order', () => {
    const old = judged(aRun({ runId: 'old', state: 'FAILED', createdAt: ago(500) }));
    const stopped = aRun({ runId: 'new', state: 'FINISHED', createdAt: ago(50) });
    const killed = aRun({ ...stopped, state: 'KILLED', stopRequestedAt: ago(20) });
    expect(findSpark(master, [old, judged(stopped)]).problems).toEqual([]);
    expect(findSpark(master, [old, judged(killed)]).problems).toEqual([]);
  });

  it('shows a file of SQL that failed, and is well; a job of that name in a catalogue it is not', () => {
    const failed = { state: 'FAILED', error: 'ParseException', parameters: { file: 'daily.sql' } } as const;
    const query = judged(aRun({ ...failed, runId: 'tried', job: 'sql' }));
    expect(findSpark(master, [query])).toMatchObject({
      summary: expect.stringMatching(/; sql FAILED \(tried\)$/) as string,
      problems: [],
    });
    const load = judged(aRun({ ...failed, runId: 'bad', job: 'load' }));
    expect(findSpark(master, [load]).problems).toEqual([expect.stringMatching(/^run bad, failed/)]);
  });

  it('is ill without a living worker and without an active master', () => {
    expect(findSpark({ ...master, status: 'STANDBY', workers: [] }, []).problems).toEqual([
      'the master is STANDBY',
      'no worker lives',
    ]);
  });
});
