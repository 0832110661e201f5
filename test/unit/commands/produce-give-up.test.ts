import { describe, expect, it } from 'vitest';
import { giveUp } from '../../../src/commands/produce/give-up.js';
import { UsageError } from '../../../src/core/errors.js';
import type { Cursor } from '../../../src/core/ports/topic.js';
import { FakeExchange } from '../../support/fake-exchange.js';
import { FakeTopic } from '../../support/fake-topic.js';
import { runProduce } from '../../support/run-produce.js';
import { aTick, ticksFrom } from '../../support/ticks.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const cursor = (symbol: string, feed: string, aggTradeId: number): Cursor => {
  const { source, eventTime } = aTick({ aggTradeId, symbol });
  return { source, symbol, feed, aggTradeId, eventTime, writtenAt: 1 };
};

describe('produce --give-up', () => {
  const before = [
    cursor('BTCUSDT', 'stream', 5),
    cursor('ETHUSDT', 'stream', 7),
    cursor('ETHUSDT', 'poll', 6),
  ];

  it('writes every cursor of the symbols once more, as an end, and no other', async () => {
    const topic = new FakeTopic(before);
    const clock = new VirtualClock();
    const ended = await giveUp({ topics: topic, sink: topic, clock }, ['ETHUSDT']);
    const written = [before[1], before[2]].map((one) => ({
      ...one,
      writtenAt: clock.now(),
      endedBy: 'given up',
    }));
    expect(ended).toEqual(written);
    expect(topic.events).toEqual([{ cursors: written }, 'closed']);
  });

  it('refuses a symbol that nobody has sent, and writes nothing', async () => {
    const topic = new FakeTopic(before);
    const given = giveUp({ topics: topic, sink: topic, clock: new VirtualClock() }, ['ETHUSDT', 'NOPE']);
    await expect(given).rejects.toThrow(/trade of NOPE,/);
    await expect(given).rejects.toBeInstanceOf(UsageError);
    expect(topic.events).toEqual([]);
  });

  it('is taken back by a later producer, which goes on after what was sent', async () => {
    const topic = new FakeTopic([{ ...cursor('BTCUSDT', 'poll', 5), endedBy: 'given up' }]);
    await runProduce(new FakeExchange({ BTCUSDT: ticksFrom(0, 9) }), topic);
    expect(topic.idsOf('BTCUSDT')).toEqual([6, 7, 8, 9]);
    expect(topic.endOf('BTCUSDT')).toBe('caught up');
  });
});
