import { describe, expect, it } from 'vitest';
import { findLag } from '../../../src/core/pipeline-findings.js';
import { aRun as aRunAt } from '../../support/memory-runs.js';

const now = Date.UTC(2026, 10, 23, 21, 30);
const ago = (seconds: number): Date => new Date(now - seconds * 1000);

describe('the queries of the job', () => {
  const topic = 'crypto_raw';
  const offsets = [{ partition: 0, earliest: 0n, latest: 100n }];
  const run = aRunAt({
    readAt: new Date(now),
    state: 'RUNNING',
    createdAt: ago(7200),
    startedAt: ago(7200),
    heartbeatAt: ago(1),
  });
  const done = (seconds: number, next = 100n) => [{ topic, partition: 0, next, ageMs: seconds * 1000 }];

  it('are well when both follow the topic', () => {
    expect(findLag(topic, offsets, { committed: done(1), lake: done(400), runs: [run] }).problems).toEqual(
      [],
    );
    expect(
      findLag(topic, offsets, { committed: done(1), lake: done(290, 50n), runs: [run] }).problems,
    ).toEqual([]);
  });

  it('are ill when the lake stays behind', () => {
    expect(
      findLag(topic, offsets, { committed: done(1), lake: done(301, 50n), runs: [run] }).problems,
    ).toEqual([
      `50 messages are not in the lake and the lake query of run ${run.runId} has stored nothing for 5 min: see \`cryptopipe logs ${run.runId}\``,
    ]);
  });

  it('are ill while one waits, with what it waits for', () => {
    const lake = {
      state: 'waiting',
      since: '2026-11-23T21:29:00Z',
      reason: 'HDFS is in safe mode',
      behind: 7,
    };
    const waits = { ...run, progress: { hot: { behind: 0 }, lake } };
    expect(
      findLag(topic, offsets, { committed: done(1), lake: done(301, 50n), runs: [waits] }).problems,
    ).toEqual([`the lake query of run ${run.runId} waits since 2026-11-23T21:29:00Z: HDFS is in safe mode`]);
  });

  it('are ill when the topic was created again or has lost its end', () => {
    const again = [{ partition: 0, earliest: 0n, latest: 10n }];
    expect(findLag(topic, again, { committed: done(1, 1_000_000n), runs: [run] }).problems).toEqual([
      'crypto_raw 0: the next message to count is 1000000, but the topic ends at 10: it was created again or has lost its end',
    ]);
  });
});
