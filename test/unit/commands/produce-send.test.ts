import { expect, it } from 'vitest';
import { sendAll } from '../../../src/commands/produce/send.js';
import { TickQueue } from '../../../src/commands/produce/tick-queue.js';
import { ProgressCounter } from '../../../src/core/produce-progress.js';
import { FakeTopic } from '../../support/fake-topic.js';
import { ticksFrom } from '../../support/ticks.js';
import { VirtualClock } from '../../support/virtual-clock.js';

it('waits once for the time of the next cursor, however many ticks come one by one before it', async () => {
  const clock = new VirtualClock();
  const sleep = clock.sleep.bind(clock);
  let sleeps = 0;
  clock.sleep = (ms, signal) => {
    sleeps += 1;
    return sleep(ms, signal);
  };
  const queue = new TickQueue(1000);
  const topic = new FakeTopic();
  const sent = sendAll({
    ...{ sink: topic, clock, queue, progress: new ProgressCounter(['BTCUSDT'], clock.now()) },
    ...{ feed: 'stream', batchSize: 1, cursorIntervalMs: 250, endedBy: () => 'order' },
  });
  for (const tick of ticksFrom(0, 99)) queue.put([tick]);
  while (topic.cursorOf('BTCUSDT') !== 99) await new Promise(setImmediate);
  expect(sleeps).toBeLessThan(5);
  queue.close();
  await sent;
  expect(topic.idsOf('BTCUSDT')).toHaveLength(100);
});
