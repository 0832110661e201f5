import { expect, it } from 'vitest';
import { RefusedError } from '../../../src/core/errors.js';
import type { ProducerHeartbeat } from '../../../src/core/producer-heartbeat.js';
import { FakeExchange } from '../../support/fake-exchange.js';
import { FakeTopic } from '../../support/fake-topic.js';
import { runProduce } from '../../support/run-produce.js';
import { ticksFrom } from '../../support/ticks.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const identity = { id: 'new', clientId: 'test', host: 'here', pid: 1 };

it('writes a heartbeat at its start, each ten seconds and at its end, and in a quiet market no cursor', async () => {
  const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 5) });
  const stop = new AbortController();
  const topic = new FakeTopic();
  exchange.onTrades = () => {
    if (exchange.queries.length > 20) stop.abort('SIGINT');
  };
  await runProduce(exchange, topic, { untilCaughtUp: false, signal: stop.signal, identity });
  const times = topic.heartbeats.map(({ writtenAt, startedAt }) => writtenAt - startedAt);
  expect(times.slice(0, 3)).toEqual([0, 10_000, 20_000]);
  expect(topic.heartbeats.map(({ endedBy }) => endedBy)).toEqual([
    ...times.slice(1).map(() => undefined),
    'order',
  ]);
  expect(topic.heartbeats.at(-2)).toMatchObject({
    ...identity,
    feed: 'poll',
    source: 'binance-spot',
    outages: [],
  });
  const { symbols, writtenAt } = topic.heartbeats.at(-2)!;
  expect(writtenAt - (symbols[0]?.answeredAt ?? 0)).toBeLessThanOrEqual(5000);
  const cursors = topic.events.filter((event) => typeof event === 'object' && 'cursors' in event);
  // One when the trades were sent, one that tells how it ended.
  expect(cursors).toHaveLength(2);
});

it('writes no last heartbeat where it fails', async () => {
  const topic = new FakeTopic();
  topic.onSend = () => {
    throw new RefusedError('Kafka refuses', { retryable: false });
  };
  await runProduce(new FakeExchange({ BTCUSDT: ticksFrom(0, 5) }), topic).catch(() => undefined);
  expect(topic.heartbeats.map(({ endedBy }) => endedBy)).toEqual([undefined]);
});

it('replaces the heartbeat of the producer that it follows', async () => {
  const clock = new VirtualClock();
  const crashed: ProducerHeartbeat = {
    ...{ ...identity, id: 'crashed', feed: 'poll', source: 'binance-spot', outages: [] },
    ...{ startedAt: clock.now() - 5000, writtenAt: clock.now() - 1000, symbols: [{ symbol: 'BTCUSDT' }] },
  };
  const topic = new FakeTopic([], [crashed, { ...crashed, id: 'other', symbols: [{ symbol: 'XRPUSDT' }] }]);
  await runProduce(new FakeExchange({ BTCUSDT: ticksFrom(0, 5) }), topic, { clock, identity });
  expect(topic.replaced).toEqual(['crashed']);
});

it('writes the cursor of a symbol only when it has changed, at most once a second', async () => {
  const tape = { BTCUSDT: ticksFrom(0, 9), ETHUSDT: ticksFrom(0, 3, 'ETHUSDT') };
  const exchange = new FakeExchange(tape);
  const stop = new AbortController();
  const topic = new FakeTopic();
  exchange.onTrades = () => {
    const asked = exchange.queries.length;
    if (asked > 4 && asked < 40) tape.BTCUSDT.push(...ticksFrom(tape.BTCUSDT.length, tape.BTCUSDT.length));
    if (asked > 60) stop.abort('SIGINT');
  };
  await runProduce(exchange, topic, { untilCaughtUp: false, signal: stop.signal, pollIntervalMs: 200 });
  const writes = topic.events.flatMap((event) =>
    typeof event === 'object' && 'cursors' in event ? [event.cursors] : [],
  );
  const ended = writes.pop();
  expect(ended?.map(({ symbol, endedBy }) => [symbol, endedBy])).toEqual([
    ['BTCUSDT', 'order'],
    ['ETHUSDT', 'order'],
  ]);
  expect(writes.flat().filter(({ symbol }) => symbol === 'ETHUSDT')).toHaveLength(1);
  const times = writes.map(([first]) => first?.writtenAt ?? 0);
  expect(times.length).toBeGreaterThan(2);
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1000);
});
