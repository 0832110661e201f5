import { describe, expect, it } from 'vitest';
import { demo, demoAndDown, type DemoPorts } from '../../../src/commands/demo.js';
import type { BackgroundStart } from '../../../src/core/ports/background.js';
import type { JobRun } from '../../../src/core/ports/runs.js';
import type { ProcessReport } from '../../../src/core/ports/stack.js';
import { aBar, evidenceOf, firstMinute, klineOf, minuteMs } from '../../support/bars.js';
import { FakeClock } from '../../support/fake-clock.js';
import {
  fakeBarStore,
  fakeExchange,
  fakeKlineArchive,
  fakeReconciliations,
} from '../../support/fake-warehouse.js';

/** A stack that does at once what it is told, over the bars of so many minutes. */
function aDemo(minutes: number) {
  const bars = Array.from({ length: minutes }, (_, at) => aBar(at));
  const { store, asked } = fakeBarStore({ BTCUSDT: evidenceOf(bars) });
  const { exchange } = fakeExchange(bars.map((bar) => klineOf(bar)));
  const clock = new FakeClock(firstMinute + minutes * minuteMs);
  const started: BackgroundStart[] = [];
  const calls: string[] = [];
  const said: string[] = [];
  let lake = 0n;
  const process = (name: string, memoryBytes?: number): ProcessReport => ({
    ...{ name, kind: 'server', state: 'running', pid: 1, startedAt: '', version: '', ports: {} },
    memoryBytes,
    logPath: '',
  });
  const ports: DemoPorts = {
    clock,
    exchange,
    archive: fakeKlineArchive([], []),
    reconciliations: fakeReconciliations().reconciliations,
    topics: { produced: () => Promise.resolve({ cursors: [], producers: [] }) },
    page: { probe: () => Promise.resolve() },
    say: (line) => said.push(line),
    logTail: () => Promise.resolve(''),
    init: () => Promise.resolve(),
    listLake: () => Promise.resolve({ folders: [], total: { files: 0, rows: 0, sizeBytes: 0 } }),
    submit: () => {
      calls.push('submit');
      lake += 1n;
      return Promise.resolve({ run: { runId: 'run-1' } as JobRun }) as ReturnType<DemoPorts['submit']>;
    },
    stopJob: () => Promise.resolve(calls.push('stop job')),
    stack: {
      install: () => Promise.resolve(),
      up: () => Promise.resolve([]),
      down: () => Promise.resolve([]).finally(() => calls.push('down')),
      status: () => Promise.resolve([process('kafka', 300e6), process('sandbox', 50e6), process('x')]),
      logTail: () => Promise.resolve(''),
    },
    background: {
      start: (start) => {
        started.push(start);
        return Promise.resolve(process(start.name));
      },
      resume: () => Promise.resolve([]),
      stop: () => Promise.resolve(true),
      list: () => Promise.resolve([]),
    },
    bars: {
      ...store,
      freshness: () =>
        Promise.resolve([
          {
            ...{ source: 'binance-spot', symbol: 'BTCUSDT', newestFinalBarAt: undefined },
            ...{ newestTradeAt: clock.now() + 1, holes: 0, missingIds: 0, firstMissingId: undefined },
          },
        ]),
      committedOffsets: () => Promise.resolve([{ topic: 'crypto_raw', partition: 0, next: lake, ageMs: 0 }]),
    },
  };
  const options = {
    symbols: ['BTCUSDT'],
    isLive: false,
    exchangeUrl: 'http://exchange.example',
    sandboxPort: 8090,
    pagePort: 8091,
    wantedFinalBars: 3,
    signal: new AbortController().signal,
  };
  return { ports, options, asked, started, said, calls };
}

describe('demo', () => {
  it('proves everything that a first demo brought', async () => {
    const { ports, options, said } = aDemo(15);
    const report = await demo(ports, options);
    expect(report.proof).toMatchObject({ from: firstMinute, isProven: true });
    expect(report.proof.symbols[0]?.bars).toBe(15);
    expect(said.filter((line) => line.includes('earlier demo'))).toEqual([]);
  });

  it('proves the last 20 minutes after one that stood for long, and says so', async () => {
    const { ports, options, said, started } = aDemo(180);
    const report = await demo(ports, options);
    expect(report.proof.from).toBe(firstMinute + 160 * minuteMs);
    expect(started[0]?.args).toContain(new Date(firstMinute).toISOString());
    expect(said.join()).toContain(
      'bars since 2024-08-08T12:00:00.000Z. They are caught up; proven here are those since 2024-08-08T14:40:00.000Z',
    );
  });

  it('serves a page of its symbols, and says where', async () => {
    const { ports, options, said, started } = aDemo(15);
    await demo(ports, options);
    expect(started.find(({ name }) => name === 'dashboard')).toMatchObject({
      args: ['dashboard', '--symbols', 'BTCUSDT'],
      ports: { dashboard: 8091 },
    });
    expect(said).toContain('watch it at http://127.0.0.1:8091');
  });

  it('adds up the memory of all that runs', async () => {
    const { ports, options } = aDemo(15);
    expect((await demo(ports, options)).memoryBytes).toBe(350e6);
  });
});

describe('a demo that ends with everything down', () => {
  it('ends the job before the servers', async () => {
    const { ports, options, calls } = aDemo(15);
    await demoAndDown(ports, options);
    expect(calls).toEqual(['submit', 'stop job', 'down']);
  });

  it('throws its own failure, and says that of the end', async () => {
    const { ports, options, said, calls } = aDemo(15);
    const down = () => Promise.reject(new Error('kafka does not end'));
    const failing = {
      ...ports,
      stack: { ...ports.stack, down },
      listLake: () => Promise.reject(new Error('no lake')),
    };
    await expect(demoAndDown(failing, options)).rejects.toThrow('no lake');
    expect(said.at(-1)).toContain('kafka does not end');
    expect(calls).toEqual(['submit', 'stop job']);
  });

  it('asks no job to end when none was submitted', async () => {
    const { ports, options, calls } = aDemo(15);
    const failing = { ...ports, init: () => Promise.reject(new Error('no tables')) };
    await expect(demoAndDown(failing, options)).rejects.toThrow('no tables');
    expect(calls).toEqual(['down']);
  });
});
