import { describe, expect, it } from 'vitest';
import type { ProduceOptions } from '../../../src/commands/produce.js';
import { JobFailedError, RefusedError, UnreachableError, UsageError } from '../../../src/core/errors.js';
import type { Cursor } from '../../../src/core/ports/topic.js';
import { FakeExchange } from '../../support/fake-exchange.js';
import { FakeTopic } from '../../support/fake-topic.js';
import { runProduce as run } from '../../support/run-produce.js';
import { aTick, ticksFrom } from '../../support/ticks.js';

const ids = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

const cursorAt = (aggTradeId: number, symbol = 'BTCUSDT'): Cursor => {
  const { source, eventTime } = aTick({ aggTradeId, symbol });
  return { source, symbol, feed: 'poll', aggTradeId, eventTime, writtenAt: 1 };
};

describe('what is sent', () => {
  it('sends every trade of every symbol once and in order of id', async () => {
    const exchange = new FakeExchange({
      BTCUSDT: ticksFrom(0, 12_345),
      ETHUSDT: ticksFrom(7, 2_999, 'ETHUSDT'),
    });
    const topic = new FakeTopic();
    const summary = await run(exchange, topic);
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(0, 12_345));
    expect(topic.idsOf('ETHUSDT')).toEqual(ids(7, 2_999));
    expect(summary).toMatchObject({ ended: 'caught up', sent: 12_346 + 2_993 });
  });

  it('keeps the order of ids when later pages are answered first', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 8_500) });
    let slowness = 30;
    exchange.onTrades = async () => {
      slowness -= 3;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, slowness)));
    };
    const topic = new FakeTopic();
    await run(exchange, topic);
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(0, 8_500));
  });

  it('goes on with what exists where the exchange has a gap in its ids', async () => {
    const tape = [...ticksFrom(0, 1_500), ...ticksFrom(4_321, 9_000), ...ticksFrom(20_000, 20_010)];
    const topic = new FakeTopic();
    await run(new FakeExchange({ BTCUSDT: tape }), topic);
    expect(topic.idsOf('BTCUSDT')).toEqual(tape.map(({ aggTradeId }) => aggTradeId));
  });

  it('asks for each page once where the ids begin far above the id that was asked for', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(3_100_000_001, 3_100_002_500) });
    const topic = new FakeTopic();
    await run(exchange, topic);
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(3_100_000_001, 3_100_002_500));
    expect(exchange.pagesOf('BTCUSDT').length).toBeLessThan(20);
  });

  it('sends a trade that happened between a page that was not full and a page asked for ahead', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 3_999) });
    // One host behind the address lags: once, it answers the second page short.
    const trades = exchange.trades.bind(exchange);
    exchange.trades = async (query, signal) => {
      const ticks = await trades(query, signal);
      const isFirst = exchange.pagesOf('BTCUSDT').filter((id) => id === 1000).length === 1;
      return 'fromId' in query && query.fromId === 1000 && isFirst ? ticks.slice(0, 700) : ticks;
    };
    const topic = new FakeTopic();
    await run(exchange, topic);
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(0, 3_999));
  });

  it('sends a neutralised row as it is', async () => {
    const row = aTick({
      aggTradeId: 5,
      firstTradeId: -1,
      lastTradeId: -1,
      price: '0.00000000',
      quantity: '0.00000000',
    });
    const topic = new FakeTopic();
    await run(new FakeExchange({ BTCUSDT: [row] }), topic);
    expect(topic.events[0]).toEqual({ sent: [row] });
  });

  it('sends what happens later, poll by poll, until it is stopped', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 10) });
    const stop = new AbortController();
    let polls = 0;
    exchange.onTrades = (query) => {
      if (!('fromId' in query)) return;
      polls += 1;
      if (polls > 5) stop.abort('SIGINT');
      exchange.tape['BTCUSDT'] = ticksFrom(0, 10 * polls);
    };
    const topic = new FakeTopic();
    const summary = await run(exchange, topic, { untilCaughtUp: false, signal: stop.signal });
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(0, 50));
    expect(summary).toMatchObject({ ended: 'stopped', sent: 51 });
  });
});

describe('where it begins', () => {
  it('goes on after the cursor, whatever --from says', async () => {
    const topic = new FakeTopic([cursorAt(499)]);
    await run(new FakeExchange({ BTCUSDT: ticksFrom(0, 900) }), topic, { from: { kind: 'id', id: 3 } });
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(500, 900));
  });

  it('lets --from win with --ignore-cursor', async () => {
    const topic = new FakeTopic([cursorAt(499)]);
    await run(new FakeExchange({ BTCUSDT: ticksFrom(0, 900) }), topic, {
      from: { kind: 'id', id: 800 },
      ignoreCursor: true,
    });
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(800, 900));
  });

  it('takes no cursor of another source or feed', async () => {
    const others = [
      { ...cursorAt(499), feed: 'archive:2024-08-08' },
      { ...cursorAt(499), source: 'elsewhere' },
    ];
    const topic = new FakeTopic(others);
    await run(new FakeExchange({ BTCUSDT: ticksFrom(0, 900) }), topic);
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(0, 900));
  });

  it('goes on after whichever got further, the stream or the poll', async () => {
    const topic = new FakeTopic([{ ...cursorAt(499), feed: 'stream' }, cursorAt(300)]);
    await run(new FakeExchange({ BTCUSDT: ticksFrom(0, 900) }), topic);
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(500, 900));
  });

  it('begins with the newest trade, the first trade from a time on, or after the newest where none is', async () => {
    const tape = ticksFrom(0, 900);
    const first = async (from: ProduceOptions['from']): Promise<number | undefined> => {
      const topic = new FakeTopic();
      await run(new FakeExchange({ BTCUSDT: tape }), topic, { from });
      return topic.idsOf('BTCUSDT')[0];
    };
    expect(await first({ kind: 'now' })).toBe(900);
    expect(await first({ kind: 'time', time: tape[700]!.eventTime - 50 })).toBe(700);
    expect(await first({ kind: 'time', time: tape[900]!.eventTime + 1 })).toBeUndefined();
  });

  it('refuses a time in the future', async () => {
    const topic = new FakeTopic();
    const started = run(new FakeExchange({ BTCUSDT: ticksFrom(0, 9) }), topic, {
      from: { kind: 'time', time: 1_800_000_000_001 },
    });
    await expect(started).rejects.toThrow(UsageError);
  });

  it('refuses a cursor that another exchange must have given', async () => {
    const topic = new FakeTopic([{ ...cursorAt(499), eventTime: 1 }]);
    const started = run(new FakeExchange({ BTCUSDT: ticksFrom(0, 900) }), topic);
    await expect(started).rejects.toThrow(JobFailedError);
    const ahead = run(new FakeExchange({ BTCUSDT: ticksFrom(0, 400) }), new FakeTopic([cursorAt(499)]));
    await expect(ahead).rejects.toThrow(/stands at trade 499 .* has no trade from there on/);
    expect(topic.events).toEqual(['closed']);
  });
});

describe('what is acknowledged', () => {
  it('never has a cursor beyond what is acknowledged, and ends at the last', async () => {
    const topic = new FakeTopic();
    let acknowledged = -1;
    const write = topic.writeCursors.bind(topic);
    topic.writeCursors = (cursors) => {
      acknowledged = topic.idsOf('BTCUSDT').at(-1) ?? -1;
      for (const cursor of cursors) expect(cursor.aggTradeId).toBeLessThanOrEqual(acknowledged);
      return write(cursors);
    };
    await run(new FakeExchange({ BTCUSDT: ticksFrom(0, 5_678) }), topic);
    expect(topic.cursorOf('BTCUSDT')).toBe(5_678);
  });

  it('stops at a send that is refused: nothing is sent after it, and no cursor passes it', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 50_000) });
    const topic = new FakeTopic();
    let sends = 0;
    topic.onSend = () => {
      sends += 1;
      if (sends === 4) throw new RefusedError('Kafka refuses', { retryable: false });
    };
    const started = run(exchange, topic, { untilCaughtUp: false });
    await expect(started).rejects.toMatchObject({ message: 'Kafka refuses', exitCode: 4 });
    expect(sends).toBe(4);
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(0, 2_999));
    expect(topic.cursorOf('BTCUSDT') ?? -1).toBeLessThanOrEqual(2_999);
    expect(topic.events.at(-1)).toBe('closed');
  });

  it('sends all that was fetched before the exchange failed, then fails', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 50_000) });
    exchange.onTrades = (query) => {
      if ('fromId' in query && query.fromId === 6000) throw new UnreachableError('id 6123 cannot be read');
    };
    const topic = new FakeTopic();
    await expect(run(exchange, topic)).rejects.toThrow('id 6123 cannot be read');
    expect(topic.idsOf('BTCUSDT')).toEqual(ids(0, 5_999));
    expect(topic.cursorOf('BTCUSDT')).toBe(5_999);
  });

  it('sends on Ctrl-C what is fetched, and writes its cursor', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 90_000) });
    const stop = new AbortController();
    const topic = new FakeTopic();
    topic.onSend = () => {
      if (topic.events.length > 3) stop.abort('SIGINT');
    };
    const summary = await run(exchange, topic, { signal: stop.signal });
    const sent = topic.idsOf('BTCUSDT');
    expect(summary).toMatchObject({ ended: 'stopped', sent: sent.length });
    expect(sent).toEqual(ids(0, sent.length - 1));
    expect(sent.length).toBeLessThan(90_000);
    expect(topic.cursorOf('BTCUSDT')).toBe(sent.length - 1);
  });

  it('ends quietly on Ctrl-C while it is still starting', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 10) });
    const stop = new AbortController();
    exchange.onTrades = () => {
      stop.abort('SIGINT');
    };
    const topic = new FakeTopic();
    expect(await run(exchange, topic, { signal: stop.signal })).toMatchObject({ ended: 'stopped', sent: 0 });
    expect(topic.events).toEqual(['closed']);
  });

  it('gives up flushing when Kafka does not answer in time, and says so', async () => {
    const stop = new AbortController();
    const topic = new FakeTopic();
    topic.onSend = () => {
      stop.abort('SIGINT');
      return new Promise<void>(() => undefined);
    };
    const started = run(new FakeExchange({ BTCUSDT: ticksFrom(0, 10) }), topic, { signal: stop.signal });
    await expect(started).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/within 8 s/) as string,
    });
  });
});

describe('memory', () => {
  it('never holds more ticks than its capacity, however slow Kafka is', async () => {
    const exchange = new FakeExchange({
      BTCUSDT: ticksFrom(0, 60_000),
      ETHUSDT: ticksFrom(0, 60_000, 'ETHUSDT'),
    });
    const topic = new FakeTopic();
    let fetched = 0;
    let acknowledged = 0;
    let most = 0;
    const trades = exchange.trades.bind(exchange);
    exchange.trades = async (query, signal) => {
      const ticks = await trades(query, signal);
      if ('fromId' in query) fetched += ticks.length;
      most = Math.max(most, fetched - acknowledged);
      return ticks;
    };
    topic.onSend = async (ticks) => {
      await new Promise((resolve) => setImmediate(resolve));
      acknowledged += ticks.length;
    };
    await run(exchange, topic, { capacity: 6_000 });
    expect(acknowledged).toBe(120_002);
    expect(most).toBeLessThanOrEqual(6_000);
    expect(most).toBeGreaterThan(4_000);
  });

  it('asks for pages ahead while it is behind, and for one page at a time when it is not', async () => {
    const exchange = new FakeExchange({ BTCUSDT: ticksFrom(0, 20_000) });
    let underWay = 0;
    let most = 0;
    exchange.onTrades = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
    };
    await run(exchange, new FakeTopic());
    expect(most).toBe(8);
    expect(exchange.pagesOf('BTCUSDT').slice(0, 4)).toEqual([0, 1000, 2000, 3000]);
  });
});
