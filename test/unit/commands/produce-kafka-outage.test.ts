import { expect, it } from 'vitest';
import { UnreachableError } from '../../../src/core/errors.js';
import { Outages } from '../../../src/core/outages.js';
import { FakeExchange } from '../../support/fake-exchange.js';
import { FakeTopic } from '../../support/fake-topic.js';
import { runProduce } from '../../support/run-produce.js';
import { ticksFrom } from '../../support/ticks.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const hourMs = 3_600_000;

function worldWithOutage() {
  const clock = new VirtualClock();
  const outages = new Outages();
  const told: string[] = [];
  outages.listen({
    onBegin: ({ system, reason }) => told.push(`${system}: ${reason}`),
    onEnd: ({ system, since, until }) =>
      told.push(`${system} after ${Math.round((until - since) / 60_000)} min`),
  });
  const topic = new FakeTopic();
  let goneAt: number | undefined;
  topic.onSend = () => {
    if (topic.events.length >= 3) goneAt ??= clock.now();
    if (goneAt !== undefined && clock.now() - goneAt < hourMs) throw new UnreachableError('Kafka is gone');
  };
  return { clock, outages, told, topic };
}

it('waits for a Kafka that is gone for an hour, and goes on in order, with one line at its begin and one at its end', async () => {
  const { clock, outages, told, topic } = worldWithOutage();
  const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 9_999) });
  const startedAt = clock.now();
  const summary = await runProduce(exchange, topic, { clock, outages, capacity: 3000 });
  expect(summary).toMatchObject({ ended: 'caught up', sent: 10_000 });
  expect(topic.idsOf('BTCUSDT')).toEqual(ticksFrom(0, 9_999).map(({ aggTradeId }) => aggTradeId));
  expect(clock.now() - startedAt).toBeGreaterThan(hourMs);
  expect(told).toEqual(['kafka: Kafka is gone', 'kafka after 60 min']);
});

it('gives up after a bounded time where somebody waits for its end', async () => {
  const { clock, outages, topic } = worldWithOutage();
  const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 9_999) });
  const startedAt = clock.now();
  const tried = runProduce(exchange, topic, { clock, outages, giveUpAfterMs: 600_000 });
  await expect(tried).rejects.toThrow('Kafka is gone');
  expect(clock.now() - startedAt).toBeLessThan(hourMs / 2);
});

it('ends within ten seconds of Ctrl-C in an outage', async () => {
  const { clock, outages, topic } = worldWithOutage();
  const stop = new AbortController();
  outages.listen({ onBegin: () => stop.abort('SIGINT'), onEnd: () => undefined });
  let stoppedAt = 0;
  stop.signal.addEventListener('abort', () => (stoppedAt = clock.now()));
  const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 9_999) });
  const tried = runProduce(exchange, topic, { clock, outages, signal: stop.signal, untilCaughtUp: false });
  await expect(tried).rejects.toThrow(/within 8 s/);
  expect(clock.now() - stoppedAt).toBeLessThan(10_000);
});

it('waits for Kafka at its start for a bounded time', async () => {
  const clock = new VirtualClock();
  const topic = new FakeTopic();
  let tries = 0;
  topic.onOpen = () => {
    tries += 1;
    if (tries < 4) throw new UnreachableError('the coordinator is loading');
  };
  await runProduce(new FakeExchange({ BTCUSDT: ticksFrom(0, 9) }), topic, { clock });
  expect(tries).toBe(4);
  topic.onOpen = () => {
    throw new UnreachableError('nothing answers');
  };
  const tried = runProduce(new FakeExchange({ BTCUSDT: ticksFrom(0, 9) }), topic, { clock });
  await expect(tried).rejects.toThrow('nothing answers');
});
