import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/core/errors.js';
import { FakeExchange } from '../../support/fake-exchange.js';
import { FakeTopic } from '../../support/fake-topic.js';
import { runProduce as run } from '../../support/run-produce.js';
import { aTick, ticksFrom } from '../../support/ticks.js';

const ids = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('one symbol, one row', () => {
  it('sends nothing where none of the symbols exists', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 9) });
    const topic = new FakeTopic();
    const started = run(exchange, topic, { symbols: ['GONE', 'NOPE'] });
    await expect(started).rejects.toThrow('The exchange lists none of the symbols GONE, NOPE');
    await expect(started).rejects.toBeInstanceOf(UsageError);
    expect(topic.events).toEqual(['closed']);
    expect(exchange.queries).toEqual([]);
  });

  it('names a symbol that does not exist or is not traded, and brings the others', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 9), ETHUSDT: ticksFrom(0, 4, 'ETHUSDT') });
    exchange.statuses.set('ETHUSDT', 'HALT');
    const topic = new FakeTopic();
    const { problems } = await run(exchange, topic, { symbols: ['BTCUSDT', 'NOPE', 'ETHUSDT'] });
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(0, 9));
    expect(topic.idsOf('ETHUSDT')).toEqual(ids(0, 4));
    expect(problems.map(({ symbol, kind, reason }) => [symbol, kind, reason])).toEqual([
      ['NOPE', 'unknown', 'the exchange does not list it'],
      ['ETHUSDT', 'halted', 'the exchange does not trade it: its status is HALT'],
    ]);
  });

  it('that is delisted while it runs is asked for again slowly, and goes on when it is back', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 9), ETHUSDT: ticksFrom(0, 4, 'ETHUSDT') });
    const stop = new AbortController();
    const topic = new FakeTopic();
    const problems: string[] = [];
    let asked = 0;
    exchange.onTrades = ({ symbol }) => {
      if (symbol === 'ETHUSDT') asked += 1;
      const polls = exchange.pagesOf('BTCUSDT').length;
      if (polls === 2) exchange.delisted.add('ETHUSDT');
      if (polls === 100) {
        exchange.delisted.clear();
        exchange.tape['ETHUSDT'] = ticksFrom(0, 8, 'ETHUSDT');
      }
      if (polls > 2 && polls < 100) exchange.tape['BTCUSDT'] = ticksFrom(0, 10 * polls);
      if (polls > 130) stop.abort('SIGINT');
    };
    await run(exchange, topic, { untilCaughtUp: false, signal: stop.signal }, ({ symbol, kind, until }) =>
      problems.push(`${symbol} ${kind}${until === undefined ? '' : ' over'}`),
    );
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(0, 990));
    expect(topic.idsOf('ETHUSDT')).toEqual(ids(0, 8));
    expect(problems).toEqual(['ETHUSDT unknown', 'ETHUSDT unknown over']);
    // The other is asked for 130 times, 5 s apart.
    expect(asked).toBeLessThan(50);
  });

  it('that cannot be read is asked for twice more, then stored with its reason; its id stays a hole', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 20) });
    exchange.unreadable.set(7, 'its price `p` is not a decimal text');
    const topic = new FakeTopic();
    const { problems } = await run(exchange, topic);
    expect(topic.idsOf('BTCUSDT')).toEqual([...ids(0, 6), ...ids(8, 20)]);
    expect(topic.rejected).toEqual([
      {
        ...{
          source: 'binance-spot',
          symbol: 'BTCUSDT',
          id: 7,
          reason: 'its price `p` is not a decimal text',
        },
        raw: JSON.stringify(exchange.tape['BTCUSDT']![7]),
      },
    ]);
    expect(exchange.pagesOf('BTCUSDT')).toEqual([0, 0, 0]);
    expect(problems).toMatchObject(
      [{ kind: 'row', reason: /id 7/ }].map((one) => ({
        ...one,
        reason: expect.stringMatching(one.reason) as string,
      })),
    );
    expect(topic.cursorOf('BTCUSDT')).toBe(20);
  });

  it('that could not be read once only is sent', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 20) });
    exchange.unreadable.set(7, 'a fault on the way');
    exchange.onTrades = () => {
      if (exchange.pagesOf('BTCUSDT').length === 2) exchange.unreadable.clear();
    };
    const topic = new FakeTopic();
    await run(exchange, topic);
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(0, 20));
    expect(topic.rejected).toEqual([]);
  });

  it('ends caught up although the exchange announces a newest trade that it never gives', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 20) });
    const bogus = aTick({ aggTradeId: 2 ** 53 - 5 });
    const trades = exchange.trades.bind(exchange);
    exchange.trades = async (query, signal) => (query.limit === 1 ? [bogus] : trades(query, signal));
    const topic = new FakeTopic();
    const { problems } = await run(exchange, topic);
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(0, 20));
    expect(exchange.queries.length).toBeLessThan(25);
    expect(problems).toMatchObject([{ symbol: 'BTCUSDT', kind: 'waiting' }]);
  });
});
