import { describe, expect, it } from 'vitest';
import { status, type StatusPorts } from '../../../src/commands/status.js';
import { ConfigError, RefusedError, UnreachableError } from '../../../src/core/errors.js';
import type { JobRun } from '../../../src/core/ports/runs.js';
import type { Tick } from '../../../src/core/tick.js';
import { aRun } from '../../support/memory-runs.js';
import { SubmissionWorld } from '../../support/submission-world.js';

const now = Date.UTC(2026, 10, 23, 21, 15);
const addresses = {
  exchange: 'https://exchange',
  kafka: 'localhost:9092',
  spark: 'http://localhost:8082',
  hdfs: 'http://localhost:9870',
  postgres: 'localhost:5432',
  producers: 'localhost:9092',
  data: 'localhost:5432',
};
const options = {
  topic: 'crypto_raw',
  pollIntervalMs: 5000,
  addresses,
  signal: new AbortController().signal,
};

const writable = {
  safeMode: undefined,
  capacityBytes: 100e9,
  remainingBytes: 60e9,
  liveDataNodes: 1,
  missingBlocks: 0,
};

/** A pipeline in which all is well; time stands still, but a sleep passes once everything else has answered. */
function healthy(others: readonly JobRun[] = []): StatusPorts {
  const run = aRun({ state: 'RUNNING', submissionId: 'driver-0', heartbeatAt: new Date(now) });
  const { book, spark } = new SubmissionWorld([run, ...others]);
  spark.drivers.push({
    id: 'driver-0',
    state: 'RUNNING',
    args: [],
    createdAt: now,
    isPlaced: true,
    stdout: '',
    stderr: '',
  });
  const cursor = { source: 'binance-spot', symbol: 'BTCUSDT', feed: 'poll', aggTradeId: 9 };
  return {
    book,
    spark,
    clock: { now: () => now, sleep: () => new Promise((resolve) => setTimeout(resolve, 20)) },
    exchange: { serverTime: () => Promise.resolve(now + 40), trades: () => Promise.resolve([]) },
    hdfsState: () => Promise.resolve(writable),
    warehouseState: () => Promise.resolve({ isStandby: false, isReadOnly: false }),
    disks: () => Promise.resolve([]),
    topics: {
      offsets: () => Promise.resolve([{ partition: 0, earliest: 0n, latest: 100n }]),
      produced: () =>
        Promise.resolve({ cursors: [{ ...cursor, eventTime: now, writtenAt: now - 1000 }], producers: [] }),
    },
    files: {
      list: () => Promise.resolve([{ path: '/datalake', isFolder: true, sizeBytes: 0, modifiedAt: now }]),
    },
    bars: {
      committedOffsets: () =>
        Promise.resolve([{ topic: 'crypto_raw', partition: 0, next: 97n, ageMs: 1000 }]),
      freshness: () => Promise.resolve([]),
    },
  };
}

const healthOf = async (ports: StatusPorts) => {
  const report = await status(ports, options);
  const bad = report.parts.filter((part) => part.health !== 'well');
  return { exitCode: report.exitCode, bad: Object.fromEntries(bad.map((part) => [part.name, part.health])) };
};

describe('status', () => {
  it('exits 0 when all is well', async () => {
    const report = await status(healthy(), options);
    expect(report).toMatchObject({ exitCode: 0, isHealthy: true });
    expect(report.parts.map(({ name, summary }) => `${name}: ${summary}`)).toEqual([
      'exchange: answered in 0 ms, its clock differs by 40 ms',
      'kafka: crypto_raw: newest offset 100, 3 behind in the last committed hot batch',
      'spark: master ALIVE, 1 workers, 4 of 4 cores free; streaming RUNNING (20261123t211500-aaaaaa)',
      'hdfs: answers, the lake is there; 1 DataNodes, 60.0 of 100 GB free',
      'postgres: answered in 0 ms',
      'producers: BTCUSDT poll: id 9, 1 s ago',
      'data: nothing was ever counted',
    ]);
  });

  it('exits 5 when something is not as it should be', async () => {
    const ports = { ...healthy(), files: { list: () => Promise.resolve([]) } };
    expect(await healthOf(ports)).toEqual({ exitCode: 5, bad: { hdfs: 'ill' } });
  });

  it('exits 5 when messages wait and no streaming job runs', async () => {
    const { book, spark } = new SubmissionWorld();
    expect(await healthOf({ ...healthy(), book, spark })).toEqual({ exitCode: 5, bad: { kafka: 'ill' } });
  });

  it('exits 4 when something does not answer, whatever else is ill', async () => {
    const ports = {
      ...healthy(),
      files: { list: () => Promise.resolve([]) },
      exchange: { ...healthy().exchange, serverTime: () => Promise.reject(new UnreachableError('down')) },
    };
    expect(await healthOf(ports)).toEqual({ exitCode: 4, bad: { hdfs: 'ill', exchange: 'silent' } });
  });

  it('waits for none that hangs, and shows the others', async () => {
    const topics = {
      offsets: () => new Promise<never>(() => undefined),
      produced: healthy().topics.produced,
    };
    const report = await status({ ...healthy(), topics }, options);
    expect(report.exitCode).toBe(4);
    expect(report.parts.filter((part) => part.health !== 'well')).toMatchObject([
      { name: 'kafka', health: 'silent', problems: ['no answer from localhost:9092 within 5 s'] },
    ]);
  });

  it('tells what it gave up on that nobody waits any more', async () => {
    let wasTold = false;
    const serverTime = (signal?: AbortSignal) =>
      new Promise<never>(() => signal?.addEventListener('abort', () => (wasTold = true)));
    await status({ ...healthy(), exchange: { ...healthy().exchange, serverTime } }, options);
    expect(wasTold).toBe(true);
  });

  it('names a feed that fetches nothing while the exchange has trades, and no quiet market', async () => {
    const freshness = [
      {
        ...{ source: 'binance-spot', symbol: 'BTCUSDT', newestTradeAt: now - 6 * 3_600_000 },
        ...{ newestFinalBarAt: now - 6 * 3_600_000, holes: 0, missingIds: 0, firstMissingId: undefined },
      },
    ];
    const ports = (trades: StatusPorts['exchange']['trades']): StatusPorts => ({
      ...healthy(),
      exchange: { ...healthy().exchange, trades },
      bars: { ...healthy().bars, freshness: () => Promise.resolve(freshness) },
    });
    const asked: unknown[] = [];
    const missed = await status(
      ports((query) => {
        asked.push(query);
        return Promise.resolve([{ eventTime: now - 3_600_000 } as Tick]);
      }),
      options,
    );
    expect(asked).toEqual([{ symbol: 'BTCUSDT', limit: 1, startTime: now - 6 * 3_600_000 + 1 }]);
    expect(missed.parts.at(-1)).toMatchObject({
      ...{ name: 'data', health: 'ill' },
      problems: [
        'BTCUSDT of binance-spot is stale: its newest trade is 6 h old, and the exchange has had newer ones for 60 min',
      ],
    });
    expect(await healthOf(ports(() => Promise.resolve([])))).toEqual({ exitCode: 0, bad: {} });
    expect((await healthOf(ports(() => Promise.reject(new UnreachableError('down'))))).bad).toEqual({
      data: 'ill',
    });
  });

  it('reads the offsets again before it says that the topic has lost its end', async () => {
    const bars = {
      ...healthy().bars,
      committedOffsets: () =>
        Promise.resolve([{ topic: 'crypto_raw', partition: 0, next: 105n, ageMs: 1000 }]),
    };
    let latest = 100n;
    const offsets = () => {
      latest += 5n;
      return Promise.resolve([{ partition: 0, earliest: 0n, latest: latest - 5n }]);
    };
    const topics = { ...healthy().topics, offsets };
    expect((await healthOf({ ...healthy(), bars, topics })).bad).toEqual({});
    const stuck = () => Promise.resolve([{ partition: 0, earliest: 0n, latest: 10n }]);
    expect(
      (await healthOf({ ...healthy(), bars, topics: { ...healthy().topics, offsets: stuck } })).bad,
    ).toEqual({ kafka: 'ill' });
  });

  it('names what cannot be written: a standby, HDFS in safe mode, a full disk', async () => {
    const ports = {
      ...healthy(),
      warehouseState: () => Promise.resolve({ isStandby: true, isReadOnly: true }),
      hdfsState: () => Promise.resolve({ ...writable, safeMode: 'Safe mode is ON.' }),
      disks: () => Promise.resolve([{ path: '/data', freeBytes: 1.5e9, totalBytes: 250e9 }]),
    };
    expect(await healthOf(ports)).toEqual({
      exitCode: 5,
      bad: { hdfs: 'ill', postgres: 'ill', disk: 'ill' },
    });
  });

  it('reports a bug of ours as the problem of its part, and shows all the others', async () => {
    const ports = {
      ...healthy(),
      files: { list: () => Promise.reject(new TypeError('x is not a function')) },
    };
    const report = await status(ports, options);
    expect(report.exitCode).toBe(5);
    expect(report.parts.map(({ name, health }) => `${name} ${health}`)).toEqual([
      'exchange well',
      'kafka well',
      'spark well',
      'hdfs ill',
      'postgres well',
      'producers well',
      'data well',
    ]);
    expect(report.parts[3]?.problems).toEqual([
      'this is a bug of cryptopipe, please report it: x is not a function',
    ]);
  });

  it('shows what refuses as ill: it has answered', async () => {
    const list = () => Promise.reject(new RefusedError('HDFS refused', { nextStep: 'Wait.' }));
    const report = await status({ ...healthy(), files: { list } }, options);
    expect(report.parts[3]).toMatchObject({
      health: 'ill',
      summary: 'refused',
      problems: ['HDFS refused. Wait.'],
    });
  });

  it('shows a warehouse without schema as ill, with what to do', async () => {
    const missing = () =>
      Promise.reject(new ConfigError('no table', { nextStep: 'Make it with `cryptopipe init`.' }));
    const ports = healthy();
    ports.book.list = missing;
    const bars = { committedOffsets: missing, freshness: missing };
    const report = await status({ ...ports, bars }, options);
    expect(report.exitCode).toBe(5);
    expect(report.parts.filter((part) => part.health === 'ill').map((part) => part.name)).toEqual([
      'postgres',
      'data',
    ]);
    expect(report.parts.at(-1)?.problems).toEqual(['no table. Make it with `cryptopipe init`.']);
  });

  it.each([0, 60])(
    'says of a run that Spark killed that it was killed, %i newer ones or not',
    async (count) => {
      const newer = Array.from({ length: count }, (_, index) =>
        aRun({
          runId: `batch-${index}`,
          job: 'quality',
          state: 'FINISHED',
          createdAt: new Date(now + index + 1),
        }),
      );
      const ports = healthy(newer);
      ports.spark.driver = (submissionId) =>
        Promise.resolve({
          submissionId,
          driverState: 'KILLED',
          workerId: undefined,
          workerHostPort: undefined,
          message: undefined,
        });
      expect(await healthOf(ports)).toEqual({ exitCode: 5, bad: { spark: 'ill' } });
    },
  );
});
