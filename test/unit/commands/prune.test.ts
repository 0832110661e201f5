import { describe, expect, it } from 'vitest';
import { prune, type PruneOptions } from '../../../src/commands/prune.js';
import type { TradeDay, TradeDays } from '../../../src/core/ports/retention.js';
import { FakeClock } from '../../support/fake-clock.js';
import { fakeFiles } from '../../support/fake-files.js';

const dayMs = 86_400_000;
const areas = { raw: '/lake/raw', clean: '/lake/clean', rejected: '/lake/rejected' };
const bytes = (count: number): Uint8Array => new Uint8Array(count);

/** Days of trades in memory; `dropped` are those that somebody else takes away first. */
function fakeTrades(days: readonly TradeDay[], dropped: readonly string[] = []) {
  const there = new Map(days.map((day) => [day.day, day]));
  const store: TradeDays = {
    before: (day) => Promise.resolve([...there.values()].filter((one) => one.day < day)),
    drop: (day) => Promise.resolve(there.delete(day) && !dropped.includes(day)),
  };
  return { store, there };
}

function aWorld(dropped: readonly string[] = []) {
  const trades = fakeTrades(
    [
      { day: '2024-08-08', rows: 12, sizeBytes: 1000 },
      { day: '2026-10-23', rows: 3, sizeBytes: 300 },
      { day: '2026-10-24', rows: 4, sizeBytes: 400 },
    ],
    dropped,
  );
  const lake = fakeFiles({
    '/lake/raw/dt=2026-10-22/hr=01/batch=g-1/part.parquet': bytes(10),
    '/lake/raw/dt=2026-10-22/hr=02/batch=g-2/part.parquet': bytes(15),
    '/lake/raw/dt=2026-10-24/hr=00/batch=g-3/part.parquet': bytes(20),
    '/lake/clean/dt=2026-10-23/hr=23/batch=g-2/part.parquet': bytes(30),
    '/lake/clean/.spark-staging-1/dt=2026-10-01/part.parquet': bytes(1),
    '/lake/clean/_kept/part.parquet': bytes(1),
    '/lake/rejected/dt=2026-10-23/hr=23/batch=g-2/part.parquet': bytes(5),
    '/checkpoints/streaming/dt=2026-10-01': bytes(1),
  });
  // 30 days before 2026-11-23T21:15Z is 2026-10-24T21:15Z: that day has not ended longer ago than that.
  const ports = { trades: trades.store, files: lake.store, clock: new FakeClock() };
  const run = (changes: Partial<PruneOptions> = {}) =>
    prune(ports, {
      ...{ olderThanMs: 30 * dayMs, areas, isDryRun: false, signal: new AbortController().signal },
      ...changes,
    });
  return { run, trades, lake };
}

const expectedDays = [
  { what: 'trades', day: '2024-08-08', rows: 12, files: undefined, sizeBytes: 1000 },
  { what: 'trades', day: '2026-10-23', rows: 3, files: undefined, sizeBytes: 300 },
  { what: 'raw', day: '2026-10-22', rows: undefined, files: 2, sizeBytes: 25 },
  { what: 'clean', day: '2026-10-23', rows: undefined, files: 1, sizeBytes: 30 },
  { what: 'rejected', day: '2026-10-23', rows: undefined, files: 1, sizeBytes: 5 },
];

describe('prune', () => {
  it('removes the whole days that ended longer ago, of trades and of each part of the lake, and nothing else', async () => {
    const { run, trades, lake } = aWorld();
    expect(await run()).toEqual({
      isDryRun: false,
      keptFrom: '2026-10-24',
      days: expectedDays,
      sizeBytes: 1360,
    });
    expect([...trades.there.keys()]).toEqual(['2026-10-24']);
    expect([...lake.files.keys()]).toEqual([
      '/lake/raw/dt=2026-10-24/hr=00/batch=g-3/part.parquet',
      '/lake/clean/.spark-staging-1/dt=2026-10-01/part.parquet',
      '/lake/clean/_kept/part.parquet',
      '/checkpoints/streaming/dt=2026-10-01',
    ]);
  });

  it('finds nothing the second time', async () => {
    const { run } = aWorld();
    await run();
    expect(await run()).toEqual({ isDryRun: false, keptFrom: '2026-10-24', days: [], sizeBytes: 0 });
  });

  it('says in a dry run what would go, and leaves it', async () => {
    const { run, trades, lake } = aWorld();
    expect(await run({ isDryRun: true })).toEqual({
      ...{ isDryRun: true, keptFrom: '2026-10-24', days: expectedDays, sizeBytes: 1360 },
    });
    expect([trades.there.size, lake.files.size]).toEqual([3, 8]);
  });

  it('does not claim what another prune took away first', async () => {
    const { days } = await aWorld(['2024-08-08']).run();
    expect(days).toEqual(expectedDays.slice(1));
  });

  it('refuses less than 8 days, which the topic may bring back', async () => {
    const { run, trades } = aWorld();
    await expect(run({ olderThanMs: 8 * dayMs - 1 })).rejects.toThrow('--older-than must be at least 8d');
    expect(trades.there.size).toBe(3);
    expect((await run({ olderThanMs: 8 * dayMs })).keptFrom).toBe('2026-11-15');
  });

  it('stops between two days when it is interrupted', async () => {
    const { run, trades } = aWorld();
    await expect(run({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    expect(trades.there.size).toBe(3);
  });
});
