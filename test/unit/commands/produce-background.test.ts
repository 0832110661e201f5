import { expect, it } from 'vitest';
import { startProducer, stopProducer } from '../../../src/commands/produce/background.js';
import type { Background, BackgroundStart } from '../../../src/core/ports/background.js';
import type { ProcessReport } from '../../../src/core/ports/stack.js';
import type { ProducerHeartbeat } from '../../../src/core/producer-heartbeat.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const report = (state: ProcessReport['state'], pid = 77): ProcessReport => ({
  name: 'produce',
  kind: 'background',
  state,
  pid,
  startedAt: undefined,
  version: undefined,
  ports: {},
  memoryBytes: undefined,
  logPath: '/logs/produce.log',
});

/** Remembers what was started; `start` returns what runs, else when `ready` has resolved once. */
function fakeBackground(
  before: readonly ProcessReport[],
): Background & { readonly started: BackgroundStart[] } {
  const started: BackgroundStart[] = [];
  return {
    started,
    start: async (start) => {
      started.push(start);
      const running = before.find(({ state }) => state === 'running');
      if (running !== undefined) return running;
      let isReady = false;
      while (!isReady) {
        isReady = await start.ready!(new AbortController().signal).then(
          () => true,
          () => false,
        );
      }
      return report('running');
    },
    resume: () => Promise.resolve([]),
    stop: (name) => Promise.resolve(name === 'produce' && before.length > 0),
    list: () => Promise.resolve([...before]),
  };
}

const clock = new VirtualClock();
const heartbeat = (symbol: string, startedAt: number): ProducerHeartbeat => ({
  ...{ id: 'a', clientId: 'cryptopipe', host: 'here', pid: 77, feed: 'poll', source: 'binance-spot' },
  ...{ startedAt, writtenAt: clock.now(), outages: [], symbols: [{ symbol }] },
});
const { signal } = new AbortController();
const nothing = { produced: () => Promise.resolve({ cursors: [], producers: [] }) };

it('is ready when Kafka holds a heartbeat of a producer of its symbols that was started after it', async () => {
  const background = fakeBackground([report('died', 76)]);
  const answers = [
    [],
    [heartbeat('BTCUSDT', clock.now() - 1)],
    [heartbeat('BTCUSDT', clock.now() - 1), heartbeat('XRPUSDT', clock.now() + 5)],
    [heartbeat('BTCUSDT', clock.now() + 5)],
  ];
  const topics = { produced: () => Promise.resolve({ cursors: [], producers: answers.shift()! }) };
  const producer = { args: ['--symbols', 'BTCUSDT'], symbols: ['BTCUSDT'] };
  const started = await startProducer({ background, topics, clock }, producer, signal);
  expect(started).toEqual({ process: report('running'), isNew: true });
  expect(background.started[0]?.args).toEqual(['produce', '--background', '--symbols', 'BTCUSDT']);
  expect(answers).toEqual([]);
});

it('ignores cursors at the first start alone', async () => {
  const background = fakeBackground([report('running')]);
  const producer = { args: ['--from', '0'], firstArgs: ['--ignore-cursor'], symbols: ['BTCUSDT'] };
  await startProducer({ background, topics: nothing, clock }, producer, signal);
  expect(background.started).toMatchObject([
    { args: ['produce', '--background', '--from', '0'], firstArgs: ['--ignore-cursor'] },
  ]);
});

it('leaves a producer that runs already as it is', async () => {
  const background = fakeBackground([report('running')]);
  const started = await startProducer(
    { background, topics: nothing, clock },
    { args: [], symbols: ['BTCUSDT'] },
    signal,
  );
  expect(started).toEqual({ process: report('running'), isNew: false });
});

it('asks for its own arguments where one runs, so that one with others is refused', async () => {
  const background = fakeBackground([report('running')]);
  background.start = ({ args, stopCommand }) =>
    Promise.reject(new Error(`refused ${args.join(' ')}; ${stopCommand ?? ''}`));
  const producer = { args: ['--symbols', 'XRPUSDT'], symbols: ['XRPUSDT'] };
  await expect(startProducer({ background, topics: nothing, clock }, producer, signal)).rejects.toThrow(
    'refused produce --background --symbols XRPUSDT; cryptopipe produce --stop',
  );
});

it('says whether one was there to be stopped', async () => {
  expect(await stopProducer(fakeBackground([report('running')]))).toBe(true);
  expect(await stopProducer(fakeBackground([]))).toBe(false);
});
