import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { produce, type ProduceSummary } from '../../../src/commands/produce.js';
import { streamFeed } from '../../../src/commands/produce/stream-feed.js';
import { UnreachableError } from '../../../src/core/errors.js';
import { Outages } from '../../../src/core/outages.js';
import type { Gap } from '../../../src/core/gap.js';
import type { Tick } from '../../../src/core/tick.js';
import { FakeExchange } from '../../support/fake-exchange.js';
import { FakeStream, type FakeConnection } from '../../support/fake-stream.js';
import { FakeTopic } from '../../support/fake-topic.js';
import { ticksFrom } from '../../support/ticks.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const ids = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** A market of which the test says what happens, and what of it the stream brings. */
class Market {
  readonly exchange: FakeExchange;
  readonly stream = new FakeStream();
  readonly topic = new FakeTopic();
  readonly gaps: Gap[] = [];
  readonly notes: string[] = [];
  readonly problems: string[] = [];
  readonly outages = new Outages();
  private readonly stop = new AbortController();
  private readonly clock = new VirtualClock();

  constructor(tape: Record<string, Tick[]>) {
    this.exchange = new FakeExchange(tape);
    this.outages.listen({
      onBegin: ({ system, reason }) => this.notes.push(`${system} down: ${reason}`),
      onEnd: ({ system }) => this.notes.push(`${system} up`),
    });
  }

  get patientExchange(): FakeExchange {
    return this.exchange;
  }

  /** Trades that happen now. */
  happen(...ticks: readonly Tick[]): void {
    for (const tick of ticks) this.exchange.tape[tick.symbol]?.push(tick);
  }

  run(capacity?: number): Promise<ProduceSummary> {
    return produce(
      {
        feed: streamFeed(this, (note) => this.notes.push(note)),
        topics: this.topic,
        sink: this.topic,
        clock: this.clock,
        outages: new Outages(),
      },
      {
        symbols: Object.keys(this.exchange.tape),
        from: { kind: 'id', id: 0 },
        ignoreCursor: false,
        progressIntervalMs: 60_000,
        identity: { id: 'run', clientId: 'test', host: 'here', pid: 1 },
        giveUpAfterMs: Infinity,
        signal: this.stop.signal,
        ...(capacity === undefined ? {} : { capacity }),
      },
      {
        onStart: () => undefined,
        onProgress: () => undefined,
        onGap: (gap) => this.gaps.push(gap),
        onProblem: ({ symbol, kind, until }) =>
          this.problems.push(`${symbol} ${kind}${until === undefined ? '' : ' over'}`),
      },
    );
  }

  /** Ends the producer when the topic has so many ticks of the symbol. */
  async until(count: number, symbol = 'BTCUSDT'): Promise<void> {
    for (let turns = 0; this.topic.idsOf(symbol).length < count; turns++) {
      if (turns > 20_000) throw new Error(`only ${this.topic.idsOf(symbol).length} of ${count} came`);
      await turn();
    }
    this.stop.abort();
  }
}

/** A market whose stream, once open, runs the test's play. */
async function play(
  market: Market,
  act: (connection: FakeConnection, number: number) => void,
  count: number,
): Promise<ProduceSummary> {
  market.stream.onConnect = (connection) => act(connection, market.stream.connections.length);
  const [summary] = await Promise.all([market.run(), market.until(count)]);
  return summary;
}

const gapIds = ({ gaps }: Market): [string, number, number][] =>
  gaps.map(({ why, firstId, lastId }) => [why, firstId, lastId]);

describe('the stream feed', () => {
  it('fetches what was there before it connected, then sends what arrives', async () => {
    const market = new Market({ BTCUSDT: ticksFrom(0, 2_500) });
    const summary = await play(
      market,
      (connection) => {
        const news = ticksFrom(2_501, 2_600);
        market.happen(...news);
        news.forEach(connection.push);
      },
      2_601,
    );
    expect(market.topic.idsOf('BTCUSDT')).toEqual(ids(0, 2_600));
    expect(summary.ended).toBe('stopped');
    expect(gapIds(market)[0]?.slice(0, 2)).toEqual(['start', 0]);
  });

  it('fetches a jump before the trades that follow it, and sends a repeat once', async () => {
    const market = new Market({ BTCUSDT: ticksFrom(0, 9) });
    await play(
      market,
      (connection) => {
        const news = ticksFrom(10, 40);
        setTimeout(() => {
          market.happen(...news);
          [news[0], news[1], news[1], news[20], news[21], news[0], news[30]].forEach(
            (tick) => tick === undefined || connection.push(tick),
          );
        }, 20);
      },
      41,
    );
    expect(market.topic.idsOf('BTCUSDT')).toEqual(ids(0, 40));
    expect(gapIds(market)).toContainEqual(['jump', 12, 29]);
  });

  it('puts what was overtaken into its place', async () => {
    const market = new Market({ BTCUSDT: ticksFrom(0, 9) });
    await play(
      market,
      (connection) => {
        const news = ticksFrom(10, 15);
        market.happen(...news);
        [1, 0, 3, 2, 5, 4].forEach((index) => connection.push(news[index] as Tick));
      },
      16,
    );
    expect(market.topic.idsOf('BTCUSDT')).toEqual(ids(0, 15));
  });

  it('polls without a connection, and loses nothing over a break', async () => {
    const market = new Market({ BTCUSDT: ticksFrom(0, 9), ETHUSDT: ticksFrom(5, 9, 'ETHUSDT') });
    market.stream.failures = 2;
    await play(
      market,
      (connection, number) => {
        if (number === 1) {
          market.happen(...ticksFrom(10, 20));
          ticksFrom(10, 12).forEach(connection.push);
          connection.close('closed with 1006');
          market.happen(...ticksFrom(21, 30), ...ticksFrom(10, 12, 'ETHUSDT'));
        } else {
          market.happen(...ticksFrom(31, 40));
          ticksFrom(31, 40).forEach(connection.push);
        }
      },
      41,
    );
    expect(market.topic.idsOf('BTCUSDT')).toEqual(ids(0, 40));
    expect(market.topic.idsOf('ETHUSDT')).toEqual(ids(5, 12));
    expect(market.notes).toContain('stream: closed with 1006; connecting again, polling until then');
    expect(market.notes.filter((note) => note.startsWith('exchange stream'))).toEqual([
      'exchange stream down: The stream did not open: refused; trades are asked for over REST meanwhile',
      'exchange stream up',
    ]);
  });

  it('opens the next connection before one that announces its end is closed', async () => {
    const market = new Market({ BTCUSDT: ticksFrom(0, 9) });
    await play(
      market,
      (connection, number) => {
        if (number === 1) connection.announceEnd();
        else {
          expect(market.stream.connections[0]?.closedBecause).toBe('replaced');
          market.happen(...ticksFrom(10, 19));
          ticksFrom(10, 19).forEach(connection.push);
        }
      },
      20,
    );
    expect(market.topic.idsOf('BTCUSDT')).toEqual(ids(0, 19));
  });

  it('finds a connection that is silent while the exchange has trades, and replaces it', async () => {
    const market = new Market({ BTCUSDT: ticksFrom(0, 9) });
    await play(
      market,
      (_connection, number) => {
        if (number === 1) setTimeout(() => market.happen(...ticksFrom(10, 19)), 20);
      },
      20,
    );
    expect(market.topic.idsOf('BTCUSDT')).toEqual(ids(0, 19));
    expect(market.stream.connections[0]?.closedBecause).toBe('silent while the exchange has trades');
    expect(gapIds(market)).toContainEqual(['silence', 10, 19]);
  });

  it('drops what comes while the queue is full, and fetches it when there is room', async () => {
    const market = new Market({ BTCUSDT: ticksFrom(0, 9) });
    let release: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => (release = resolve));
    market.topic.onSend = () => (market.topic.idsOf('BTCUSDT').length >= 10 ? blocked : undefined);
    market.stream.onConnect = (connection) => {
      setTimeout(() => {
        const news = ticksFrom(10, 5_000);
        market.happen(...news);
        news.forEach(connection.push);
        setTimeout(release, 20);
      }, 20);
    };
    await Promise.all([market.run(1_000), market.until(5_001)]);
    expect(market.topic.idsOf('BTCUSDT')).toEqual(ids(0, 5_000));
    expect(market.gaps.map(({ why }) => why)).toContain('back-pressure');
  });

  it('shares its symbols out over connections', async () => {
    const market = new Market({ BTCUSDT: ticksFrom(0, 1), ETHUSDT: ticksFrom(0, 1, 'ETHUSDT') });
    market.stream.mostSymbols = 1;
    await play(
      market,
      (_connection, number) => {
        if (number === 2) {
          market.happen(...ticksFrom(2, 2));
          ticksFrom(2, 2).forEach((tick) => market.stream.connections[0]?.push(tick));
        }
      },
      3,
    );
    expect(market.stream.connections.slice(0, 2).map(({ symbols }) => symbols)).toEqual([
      ['BTCUSDT'],
      ['ETHUSDT'],
    ]);
  });

  it('drops an id far ahead that the exchange does not confirm, and goes on live at a bounded cost', async () => {
    const market = new Market({ BTCUSDT: ticksFrom(0, 9), ETHUSDT: ticksFrom(0, 0, 'ETHUSDT') });
    const bogus = (id: number): Tick => ({ ...ticksFrom(10, 10)[0]!, aggTradeId: id, eventTime: 4e12 });
    let queries = 0;
    await play(
      market,
      (connection) => {
        connection.push(bogus(2 ** 53 - 5));
        void (async () => {
          while (!market.problems.includes('BTCUSDT waiting')) await turn();
          queries = market.exchange.queries.length;
          for (let id = 10; id < 60; id += 1) {
            market.happen(...ticksFrom(id, id));
            connection.push(ticksFrom(id, id)[0]!);
            connection.push(bogus(2 ** 53 - 5 + (id % 4)));
            await turn();
          }
        })();
      },
      60,
    );
    expect(market.topic.idsOf('BTCUSDT')).toEqual(ids(0, 59));
    expect(queries).toBeLessThan(30);
    // What follows is live: it is not fetched.
    expect(market.gaps.filter(({ lastId }) => lastId >= 10)).toEqual([]);
  });

  it('ends with what the exchange throws when a gap cannot be fetched', async () => {
    const market = new Market({ BTCUSDT: ticksFrom(0, 9) });
    market.stream.onConnect = (connection) => {
      setTimeout(() => {
        market.exchange.onTrades = () => {
          throw new UnreachableError('no answer', { nextStep: 'wait' });
        };
        ticksFrom(20, 25).forEach(connection.push);
      }, 20);
    };
    await expect(market.run()).rejects.toThrow('no answer');
    expect(market.topic.idsOf('BTCUSDT')).toEqual(ids(0, 9));
  });
});
