import { describe, expect, it } from 'vitest';
import { UnreachableError } from '../../../src/core/errors.js';
import { FakeExchange } from '../../support/fake-exchange.js';
import { FakeTopic } from '../../support/fake-topic.js';
import { runProduce as run } from '../../support/run-produce.js';
import { ticksFrom } from '../../support/ticks.js';

describe('how it says that it ended', () => {
  it('writes into the last cursor that it had caught up, and into no earlier one', async () => {
    const topic = new FakeTopic();
    await run(new FakeExchange({ BTCUSDT: ticksFrom(0, 5_678) }), topic);
    expect(topic.endOf('BTCUSDT')).toBe('caught up');
    const ends = topic.events.flatMap((event) =>
      typeof event === 'object' && 'cursors' in event ? event.cursors.map(({ endedBy }) => endedBy) : [],
    );
    expect(ends.filter((end) => end !== undefined)).toHaveLength(1);
  });

  it('writes that it ended by order, but nothing of the kind when something failed', async () => {
    const end = async (act: (stop: AbortController) => void): Promise<unknown> => {
      const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 10) });
      const stop = new AbortController();
      exchange.onTrades = () => {
        if (exchange.pagesOf('BTCUSDT').length > 2) act(stop);
      };
      const topic = new FakeTopic();
      await run(exchange, topic, { untilCaughtUp: false, signal: stop.signal }).catch(() => undefined);
      expect(topic.cursorOf('BTCUSDT')).toBe(10);
      return topic.endOf('BTCUSDT');
    };
    expect(await end((stop) => stop.abort('SIGINT'))).toBe('order');
    const fails = (): never => {
      throw new UnreachableError('no answer');
    };
    expect(await end(fails)).toBeUndefined();
  });
});
