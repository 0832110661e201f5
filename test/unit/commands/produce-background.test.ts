import { expect, it } from 'vitest';
import { startProducer, stopProducer } from '../../../src/commands/produce/background.js';
import type { Background, BackgroundStart } from '../../../src/core/ports/background.js';
import type { ProcessReport } from '../../../src/core/ports/stack.js';
import type { Cursor } from '../../../src/core/ports/topic.js';
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
    stop: (name) => Promise.resolve(name === 'produce' && before.length > 0),
    list: () => Promise.resolve([...before]),
  };
}

const clock = new VirtualClock();
const cursor = (symbol: string, writtenAt: number): Cursor => ({
  source: 'binance-spot',
  symbol,
  feed: 'poll',
  aggTradeId: 1,
  eventTime: 1,
  writtenAt,
});
const { signal } = new AbortController();
/** Knows the symbols, and has no trade of any. */
const exchange = { symbols: () => Promise.resolve([]) };

it('is ready when Kafka holds a cursor of its symbols that is newer than the start', async () => {
  const background = fakeBackground([report('died', 76)]);
  const answers = [
    [],
    [cursor('BTCUSDT', clock.now() - 1)],
    [cursor('BTCUSDT', clock.now() - 1), cursor('XRPUSDT', clock.now() + 5)],
    [cursor('BTCUSDT', clock.now() + 5)],
  ];
  const topics = { cursors: () => Promise.resolve(answers.shift()!) };
  const producer = { args: ['--symbols', 'BTCUSDT'], symbols: ['BTCUSDT'] };
  const started = await startProducer({ background, topics, exchange, clock }, producer, signal);
  expect(started).toEqual({ process: report('running'), isNew: true });
  expect(background.started[0]?.args).toEqual(['produce', '--background', '--symbols', 'BTCUSDT']);
  expect(answers).toEqual([]);
});

it('is ready without a cursor when it has lived for 15 seconds and the exchange and Kafka answer', async () => {
  const answers: (() => Promise<[]>)[] = [
    () => Promise.reject(new Error('the exchange is not there')),
    () => Promise.resolve([]),
  ];
  const silent = { symbols: () => answers.shift()!() };
  const topics = { cursors: () => clock.sleep(1000).then(() => []) };
  const startedAt = clock.now();
  const started = await startProducer(
    { background: fakeBackground([]), topics, exchange: silent, clock },
    { args: [], symbols: ['NEWUSDT'] },
    signal,
  );
  expect(started.isNew).toBe(true);
  expect(answers).toEqual([]);
  expect(clock.now() - startedAt).toBe(16_000);
});

it('leaves a producer that runs already as it is', async () => {
  const background = fakeBackground([report('running')]);
  const topics = { cursors: () => Promise.resolve([]) };
  const started = await startProducer(
    { background, topics, exchange, clock },
    { args: [], symbols: ['BTCUSDT'] },
    signal,
  );
  expect(started).toEqual({ process: report('running'), isNew: false });
});

it('asks for its own arguments where one runs, so that one with others is refused', async () => {
  const background = fakeBackground([report('running')]);
  background.start = ({ args, stopCommand }) =>
    Promise.reject(new Error(`refused ${args.join(' ')}; ${stopCommand ?? ''}`));
  const topics = { cursors: () => Promise.resolve([]) };
  const producer = { args: ['--symbols', 'XRPUSDT'], symbols: ['XRPUSDT'] };
  await expect(startProducer({ background, topics, exchange, clock }, producer, signal)).rejects.toThrow(
    'refused produce --background --symbols XRPUSDT; cryptopipe produce --stop',
  );
});

it('says whether one was there to be stopped', async () => {
  expect(await stopProducer(fakeBackground([report('running')]))).toBe(true);
  expect(await stopProducer(fakeBackground([]))).toBe(false);
});
