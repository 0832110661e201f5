import { describe, expect, it } from 'vitest';
import { findLag, findProducers, findSpark, type Counting } from '../../../src/core/pipeline-findings.js';
import { findData, quietSymbols } from '../../../src/core/data-findings.js';
import { findHdfs, findPostgres } from '../../../src/core/storage-findings.js';
import { findDisks } from '../../../src/core/disk-space.js';
import type { JobRun } from '../../../src/core/ports/runs.js';
import type { MasterReport } from '../../../src/core/ports/spark.js';
import { situationOf, type Evidence } from '../../../src/core/run-situation.js';
import type { Cursor } from '../../../src/core/ports/topic.js';
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

  it('may be silent when they ended by order or had caught up, and when an archive has ended', () => {
    const stopped = findProducers([cursor(600, { endedBy: 'order' })], [], limits);
    expect(stopped).toMatchObject({
      summary: 'BTCUSDT poll: id 7, 10 min ago (stopped by order)',
      problems: [],
    });
    expect(findProducers([cursor(600, { endedBy: 'caught up' })], [], limits).problems).toEqual([]);
    expect(findProducers([cursor(600, { feed: 'archive:2024-08' })], [], limits).problems).toEqual([]);
  });

  it('have died where only another one was stopped by order', () => {
    const stopped = [{ name: 'produce', state: 'stopped' as const }];
    expect(findProducers([cursor(600)], stopped, limits).problems).toEqual([
      'the producer of BTCUSDT (poll) died: its last cursor was written 10 min ago',
    ]);
  });

  it('live where one feed goes on after another that died', () => {
    const found = findProducers([cursor(600), cursor(5, { feed: 'stream', aggTradeId: 99 })], [], limits);
    expect(found).toMatchObject({ summary: 'BTCUSDT stream: id 99, 5 s ago', problems: [] });
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
    firstMissingId: undefined,
  };

  it('are well without holes', () => {
    expect(findData([fresh], now)).toMatchObject({
      summary: 'BTCUSDT: newest trade 800 ms old, newest final bar 2026-11-23 21:28Z, 0 holes',
      problems: [],
    });
  });

  it('of a ticker and of the sample are told with their source', () => {
    expect(findData([{ ...fresh, source: 'sample' }], now).summary).toMatch(
      /^BTCUSDT \(sample\): newest trade 800 ms old/,
    );
    expect(findData([{ ...fresh, source: 'binance-spot-ticker-5000' }], now).summary).toBe(
      'BTCUSDT (binance-spot-ticker-5000): newest sample 800 ms old, newest final bar 2026-11-23 21:28Z',
    );
  });

  it('are ill with holes, and say how to fill them', () => {
    expect(findData([{ ...fresh, holes: 2, missingIds: 30, firstMissingId: 700 }], now).problems).toEqual([
      'BTCUSDT of binance-spot: 30 trades missing in 2 holes; fetch them with `cryptopipe heal --symbols BTCUSDT`',
    ]);
  });
});

describe('data of a running feed', () => {
  const old = {
    ...{ source: 'binance-spot', symbol: 'BTCUSDT', newestTradeAt: now - 6 * 3_600_000 },
    ...{ newestFinalBarAt: now - 6 * 3_600_000, holes: 0, missingIds: 0, firstMissingId: undefined },
  };
  const cursor = {
    ...{ source: 'binance-spot', symbol: 'BTCUSDT', feed: 'stream', aggTradeId: 9 },
    ...{ eventTime: now, writtenAt: now },
  };

  it('that are old are asked about, those of an ended or an archive feed are not', () => {
    expect(quietSymbols([old], [cursor], now)).toEqual([
      { source: 'binance-spot', symbol: 'BTCUSDT', newestTradeAt: old.newestTradeAt },
    ]);
    expect(quietSymbols([old], [], now)).toEqual([]);
    expect(quietSymbols([old], [{ ...cursor, endedBy: 'order' }], now)).toEqual([]);
    expect(quietSymbols([old], [{ ...cursor, feed: 'archive:2024-08' }], now)).toEqual([]);
    expect(quietSymbols([{ ...old, newestTradeAt: now - 300_000 }], [cursor], now)).toEqual([]);
    expect(quietSymbols([{ ...old, newestTradeAt: now - 300_001 }], [cursor], now)).toHaveLength(1);
  });

  it('are stale where the exchange has had newer ones for longer than a trade takes to arrive', () => {
    const quiet = quietSymbols([old], [cursor], now);
    expect(findData([old], now, quiet, [now - 60_000]).problems).toEqual([]);
    expect(findData([old], now, quiet, ['none']).problems).toEqual([]);
    expect(findData([old], now, quiet, [now - 120_000]).problems).toEqual([
      'BTCUSDT of binance-spot is stale: its newest trade is 6 h old, and the exchange has had newer ones for 2 min',
    ]);
    expect(findData([old], now, quiet, ['unknown']).problems).toEqual([
      'BTCUSDT of binance-spot is stale: its newest trade is 6 h old, and the exchange does not say whether there are newer ones',
    ]);
  });

  it('of a ticker are stale by the clock alone', () => {
    const source = 'binance-spot-ticker-5000';
    const quiet = quietSymbols([{ ...old, source }], [{ ...cursor, source, feed: 'ticker' }], now);
    expect(findData([{ ...old, source }], now, quiet, ['unknown']).problems).toEqual([
      'BTCUSDT of binance-spot-ticker-5000 is stale: its newest sample is 6 h old',
    ]);
  });
});

describe('the storage', () => {
  const well = {
    ...{
      safeMode: undefined,
      capacityBytes: 100e9,
      remainingBytes: 60e9,
      liveDataNodes: 1,
      missingBlocks: 0,
    },
  };
  const problemsOf = (state: Partial<Parameters<typeof findHdfs>[1]>) =>
    findHdfs(['/datalake'], { ...well, ...state }).problems;

  it('HDFS is well where it can be written, and where nobody can ask', () => {
    expect(problemsOf({})).toEqual([]);
    expect(findHdfs(['/datalake'], undefined)).toMatchObject({
      summary: 'answers, the lake is there',
      problems: [],
    });
  });

  it('HDFS is ill in safe mode, full, without DataNodes, and without blocks', () => {
    expect(problemsOf({ safeMode: 'Safe mode is ON. Turned on manually.' })).toEqual([
      'HDFS is in safe mode and cannot be written: Safe mode is ON. Turned on manually.',
    ]);
    expect(problemsOf({ remainingBytes: 4.9e9 })).toEqual([
      'HDFS is nearly full, 4.9 of 100 GB are free: remove data or add a disk',
    ]);
    expect(problemsOf({ liveDataNodes: 0, capacityBytes: 0, remainingBytes: 0 })).toEqual([
      'no DataNode is alive, so HDFS can be neither read nor written: `cryptopipe stack status`',
    ]);
    expect(problemsOf({ missingBlocks: 3 })).toEqual([
      '3 blocks of HDFS are on no DataNode that is alive: start the DataNodes that hold them',
    ]);
  });

  it('PostgreSQL is ill where it is read-only', () => {
    expect(findPostgres(3, { isStandby: false, isReadOnly: false }).problems).toEqual([]);
    expect(findPostgres(3, { isStandby: false, isReadOnly: true }).problems).toEqual([
      'PostgreSQL is read-only (default_transaction_read_only) and cannot be written: set that off',
    ]);
    expect(findPostgres(3, { isStandby: true, isReadOnly: false }).problems).toEqual([
      'PostgreSQL is a standby and cannot be written: set PGHOST to the primary, or wait for the failover',
    ]);
  });

  it.each([
    [250e9, 1.9e9, true],
    [250e9, 12e9, true],
    [250e9, 13e9, false],
    [2000e9, 21e9, false],
    [10e9, 2.1e9, false],
  ])('a disk of %i bytes with %i free is nearly full: %s', (totalBytes, freeBytes, isFull) => {
    expect(findDisks([{ path: '/data', totalBytes, freeBytes }]).problems).toHaveLength(isFull ? 1 : 0);
  });
});

describe('the queries of the job', () => {
  const topic = 'crypto_raw';
  const offsets = [{ partition: 0, earliest: 0n, latest: 100n }];
  const run = aRun({ state: 'RUNNING', createdAt: ago(7200), startedAt: ago(7200), heartbeatAt: ago(1) });
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
