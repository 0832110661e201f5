import { describe, expect, it } from 'vitest';
import { findData, findLag, findProducers, findSpark } from '../../../src/core/pipeline-findings.js';
import type { MasterReport } from '../../../src/core/ports/spark.js';
import type { Cursor } from '../../../src/core/ports/topic.js';
import { aRun } from '../../support/memory-runs.js';

const now = Date.UTC(2026, 10, 23, 21, 30);
const ago = (seconds: number): Date => new Date(now - seconds * 1000);

describe('the lag of a topic', () => {
  const offsets = [
    { partition: 0, earliest: 0n, latest: 100n },
    { partition: 1, earliest: 10n, latest: 50n },
  ];

  it('is what the last committed hot batch has not seen, a partition without one from its beginning', () => {
    const finding = findLag('crypto_raw', offsets, [
      { topic: 'crypto_raw', partition: 0, next: 90n, ageMs: 1000 },
    ]);
    expect(finding).toMatchObject({ problems: [], facts: { newestOffset: 150n, lag: 50n } });
  });

  it('of another topic does not count', () => {
    const other = [{ topic: 'other', partition: 0, next: 90n, ageMs: 1000 }];
    expect(findLag('crypto_raw', offsets, other).facts).toMatchObject({ lag: 140n });
  });

  it('hides no messages that Kafka deleted before they were counted', () => {
    const finding = findLag('crypto_raw', offsets, [
      { topic: 'crypto_raw', partition: 1, next: 5n, ageMs: 1000 },
    ]);
    expect(finding.problems).toEqual(['crypto_raw 1: Kafka has deleted messages that were never counted']);
  });

  it('of a topic that does not exist is a problem', () => {
    expect(findLag('crypto_raw', [], []).problems).toEqual([
      'there is no topic crypto_raw: run `cryptopipe init`',
    ]);
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

  it('is well with a running job that says that it lives', () => {
    const run = aRun({ state: 'RUNNING', heartbeatAt: ago(2) });
    expect(findSpark(master, [run], now)).toMatchObject({
      summary: `master ALIVE, 1 workers, 1 of 4 cores free; streaming RUNNING (${run.runId})`,
      problems: [],
    });
  });

  it.each([
    ['a job that does not say that it lives', aRun({ state: 'RUNNING', heartbeatAt: ago(40) }), /for 40 s/],
    ['a run that waits for long', aRun({ state: 'SUBMITTED', createdAt: ago(300) }), /SUBMITTED for 5 min/],
    ['a newest run that failed', aRun({ state: 'FAILED', error: 'ValueError: x' }), /FAILED: ValueError: x/],
    ['a newest run that somebody killed', aRun({ state: 'KILLED' }), /KILLED/],
    ['a newest run that was lost', aRun({ state: 'LOST' }), /LOST/],
  ])('is ill with %s', (_what, run, problem) => {
    expect(findSpark(master, [run], now).problems).toEqual([expect.stringMatching(problem)]);
  });

  it('forgives a run that failed before a newer one that was stopped in order', () => {
    const old = aRun({ runId: 'old', state: 'FAILED', createdAt: ago(500) });
    const stopped = aRun({ runId: 'new', state: 'FINISHED', createdAt: ago(50) });
    const killed = aRun({ ...stopped, state: 'KILLED', stopRequestedAt: ago(20) });
    expect(findSpark(master, [old, stopped], now).problems).toEqual([]);
    expect(findSpark(master, [old, killed], now).problems).toEqual([]);
  });

  it('is ill without a living worker and without an active master', () => {
    expect(findSpark({ ...master, status: 'STANDBY', workers: [] }, [], now).problems).toEqual([
      'the master is STANDBY',
      'no worker lives',
    ]);
  });
});

describe('the producers', () => {
  const cursor = (seconds: number, values: Partial<Cursor> = {}): Cursor => ({
    source: 'binance-spot',
    symbol: 'BTCUSDT',
    feed: 'poll',
    aggTradeId: 7,
    eventTime: 0,
    writtenAt: now - seconds * 1000,
    ...values,
  });
  const limits = { pollIntervalMs: 5000, now };

  it('live while their cursors are younger than a minute', () => {
    expect(findProducers([cursor(59)], [], limits)).toMatchObject({
      summary: 'BTCUSDT poll: id 7, 59 s ago',
      problems: [],
    });
  });

  it('have died when a cursor is older', () => {
    expect(findProducers([cursor(61), cursor(1, { symbol: 'ETHUSDT' })], [], limits).problems).toEqual([
      expect.stringMatching(/producer of BTCUSDT \(poll\) died.*61 s ago/),
    ]);
  });

  it('may be silent for three polls', () => {
    expect(findProducers([cursor(61)], [], { pollIntervalMs: 30_000, now }).problems).toEqual([]);
  });

  it('may be silent when they were stopped by order, and when an archive has ended', () => {
    const stopped = [{ name: 'produce', state: 'stopped' as const }];
    expect(findProducers([cursor(600)], stopped, limits).problems).toEqual([]);
    expect(findProducers([cursor(600, { feed: 'archive:2024-08' })], [], limits).problems).toEqual([]);
  });

  it('have died when the process that was started is not there', () => {
    const died = [{ name: 'produce', state: 'died' as const }];
    expect(findProducers([cursor(5)], died, limits).problems).toEqual([
      'produce died: see `cryptopipe stack logs produce`',
    ]);
  });
});

describe('the data', () => {
  const fresh = {
    source: 'binance-spot',
    symbol: 'BTCUSDT',
    newestTradeAt: now - 800,
    newestFinalBarAt: Date.UTC(2026, 10, 23, 21, 28),
    holes: 0,
    missingIds: 0,
  };

  it('are well without holes', () => {
    expect(findData([fresh], now)).toMatchObject({
      summary: 'BTCUSDT: newest trade 800 ms old, newest final bar 2026-11-23 21:28Z, 0 holes',
      problems: [],
    });
  });

  it('are ill with holes, and say how to fill them', () => {
    expect(findData([{ ...fresh, holes: 2, missingIds: 30 }], now).problems).toEqual([
      'BTCUSDT of binance-spot: 30 trades missing in 2 holes; fetch them with `cryptopipe heal`',
    ]);
  });
});
