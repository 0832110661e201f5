import { describe, expect, it } from 'vitest';
import { waitForFinalBars, type WantedBars } from '../../../src/commands/demo/final-bars.js';
import type { JobRun } from '../../../src/core/ports/runs.js';
import type { ProcessReport } from '../../../src/core/ports/stack.js';
import { aBar, evidenceOf, firstMinute, minuteMs } from '../../support/bars.js';
import { FakeClock } from '../../support/fake-clock.js';
import { fakeBarStore } from '../../support/fake-warehouse.js';

const startedAt = firstMinute + 10 * minuteMs;

/** A pipeline in which nothing is missing, but for what a test takes away; time passes by waiting alone. */
function aWorld() {
  const bars = [0, 1, 2].map((at) => aBar(at));
  const { store, asked } = fakeBarStore({ BTCUSDT: evidenceOf(bars) });
  const world = {
    newestTradeAt: (startedAt + 1) as number | undefined,
    lake: 8n,
    processes: [] as { readonly name: string; readonly state: ProcessReport['state'] }[],
  };
  const clock = new FakeClock(startedAt);
  const said: string[] = [];
  const ports = {
    clock,
    say: (line: string) => said.push(line),
    logTail: () => Promise.resolve('the end of the log'),
    background: {
      start: () => Promise.reject(new Error('nothing is started here')),
      resume: () => Promise.resolve([]),
      stop: () => Promise.resolve(false),
      list: () =>
        Promise.resolve(
          world.processes.map((process) => ({ ...process, logPath: '/x.log' }) as ProcessReport),
        ),
    },
    bars: {
      ...store,
      freshness: () =>
        Promise.resolve([
          {
            source: 'binance-spot',
            symbol: 'BTCUSDT',
            newestTradeAt: world.newestTradeAt,
            newestFinalBarAt: undefined,
            holes: 0,
            missingIds: 0,
            firstMissingId: undefined,
          },
        ]),
      committedOffsets: () =>
        Promise.resolve([{ topic: 'crypto_raw', partition: 3, next: world.lake, ageMs: 0 }]),
    },
  };
  const wait = (changes: Partial<WantedBars> = {}): Promise<void> =>
    waitForFinalBars(ports, {
      source: 'binance-spot',
      symbols: ['BTCUSDT'],
      count: 3,
      from: firstMinute,
      startedAt,
      behindMs: 0,
      lakeBefore: [{ topic: 'crypto_raw', partition: 3, next: 7n, ageMs: 0 }],
      processes: ['sandbox', 'produce'],
      run: { runId: 'run-1' } as JobRun,
      signal: new AbortController().signal,
      ...changes,
    });
  return { world, clock, said, asked, wait };
}

describe('waitForFinalBars', () => {
  it('ends when bars, a trade newer than the start and a new batch of the lake are there', async () => {
    const { wait, clock, asked } = aWorld();
    await wait();
    expect(clock.now()).toBe(startedAt);
    expect(asked).toEqual([{ source: 'binance-spot', symbol: 'BTCUSDT', from: firstMinute }]);
  });

  it('is not content with what an earlier demo left', async () => {
    const { world, wait, clock } = aWorld();
    world.newestTradeAt = startedAt - 1;
    world.lake = 7n;
    clock.onSleep.push(() => {
      if (clock.now() > startedAt + 5000) world.newestTradeAt = startedAt + 1;
      if (clock.now() > startedAt + 9000) world.lake = 8n;
    });
    await wait();
    expect(clock.now()).toBe(startedAt + 9500);
  });

  it('says what is missing when the time is over, with the end of the log', async () => {
    const { world, wait, clock } = aWorld();
    world.newestTradeAt = startedAt - minuteMs;
    world.lake = 7n;
    const waited = wait({ count: 4 });
    await expect(waited).rejects.toThrow('BTCUSDT has 3 final bars of 4');
    await expect(waited).rejects.toThrow(
      'BTCUSDT has no trade since the demo began, the newest is of 2024-08-08T12:09',
    );
    await expect(waited).rejects.toThrow('the lake has no new batch');
    await expect(waited).rejects.toMatchObject({ logTail: 'the end of the log' });
    expect(clock.now()).toBe(startedAt + 300_500);
  });

  it('waits a minute longer for every hour behind, and says so', async () => {
    const { wait, clock, said } = aWorld();
    await expect(wait({ count: 4, behindMs: 120 * minuteMs })).rejects.toThrow('after 420 s');
    expect(clock.now()).toBe(startedAt + 420_500);
    expect(said).toEqual(['catching up 2.0 hours; it may take up to 420 s']);
  });

  it('ends early for a dead process of its own, not for one that others left', async () => {
    const { world, wait } = aWorld();
    world.processes = [{ name: 'sandbox', state: 'died' }];
    await expect(wait({ count: 4, processes: ['produce'] })).rejects.toThrow('after 300 s');
    await expect(wait({ count: 4 })).rejects.toThrow(
      'sandbox ended too early: BTCUSDT has 3 final bars of 4',
    );
  });
});
