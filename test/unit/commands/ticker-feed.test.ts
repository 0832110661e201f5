import { describe, expect, it } from 'vitest';
import { produce, type ProduceOptions } from '../../../src/commands/produce.js';
import { tickerFeed } from '../../../src/commands/produce/ticker-feed.js';
import { UnreachableError, UsageError } from '../../../src/core/errors.js';
import { Outages } from '../../../src/core/outages.js';
import type { SymbolPrice } from '../../../src/core/ports/exchange.js';
import type { Cursor } from '../../../src/core/ports/topic.js';
import { FakeExchange } from '../../support/fake-exchange.js';
import { FakeTopic } from '../../support/fake-topic.js';
import { aTick } from '../../support/ticks.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const intervalMs = 5000;
const source = 'binance-spot-ticker-5000';
/** The exchange's clock runs two minutes ahead of ours, and stands 1.2 s into a slot. */
const ourStart = Date.UTC(2026, 10, 23, 12);
const aheadMs = 121_200;
const firstSlot = (ourStart + 125_000) / intervalMs;

interface Call {
  readonly slot: number;
  readonly symbols: readonly string[];
}

/** A ticker over an exchange whose every answer a test may change; it ends when `until` slots were asked for. */
function aTicker(options: {
  readonly until: number;
  readonly answer?: (call: Call, signal: AbortSignal) => Promise<SymbolPrice[] | undefined>;
  readonly cursors?: readonly Cursor[];
  readonly produce?: Partial<ProduceOptions>;
}) {
  const clock = new VirtualClock(ourStart);
  const exchange = new FakeExchange({ BTCUSDT: [aTick()], ETHUSDT: [aTick()] });
  const problems: string[] = [];
  const down: string[] = [];
  const outages = new Outages();
  outages.listen({ onBegin: ({ reason }) => down.push(reason), onEnd: () => undefined });
  const topic = new FakeTopic(options.cursors);
  const stop = new AbortController();
  const calls: Call[] = [];
  exchange.serverTime = () => Promise.resolve(clock.now() + aheadMs);
  exchange.prices = async (symbols: readonly string[], signal?: AbortSignal) => {
    const slot = Math.floor((clock.now() + aheadMs) / intervalMs);
    const call = { slot, symbols };
    calls.push(call);
    if (calls.length === options.until) setImmediate(() => stop.abort(new Error('enough')));
    const changed = await options.answer?.(call, signal!);
    return changed ?? symbols.map((symbol) => ({ symbol, price: `${symbol.length}.${slot % 1000}` }));
  };
  const run = () =>
    produce(
      {
        feed: tickerFeed({ exchange, clock, outages }, { intervalMs }),
        topics: topic,
        sink: topic,
        clock,
        outages,
      },
      {
        ...{ symbols: ['BTCUSDT', 'ETHUSDT'], from: { kind: 'now' } as const, ignoreCursor: false },
        ...{
          progressIntervalMs: 1000,
          identity: { id: 'run', clientId: 'test', host: 'here', pid: 1 },
          giveUpAfterMs: Infinity,
          signal: stop.signal,
          ...options.produce,
        },
      },
      {
        onStart: () => undefined,
        onProgress: () => undefined,
        onGap: () => undefined,
        onProblem: ({ symbol, reason }) => problems.push(`${symbol}: ${reason}`),
      },
    );
  const sent = () =>
    topic.events.flatMap((event) => (typeof event === 'object' && 'sent' in event ? event.sent : []));
  return { run, calls, topic, clock, sent, exchange, problems, down };
}

describe('the ticker feed', () => {
  it('asks once a slot for all symbols, and sends a sample of each with the slot as its id', async () => {
    const ticker = aTicker({ until: 3 });
    const summary = await ticker.run();
    expect(ticker.calls).toEqual(
      [0, 1, 2].map((at) => ({ slot: firstSlot + at, symbols: ['BTCUSDT', 'ETHUSDT'] })),
    );
    expect(ticker.sent().slice(0, 2)).toEqual(
      ['BTCUSDT', 'ETHUSDT'].map((symbol) => ({
        ...{ source, symbol, price: `7.${firstSlot % 1000}`, quantity: '0', buyerIsMaker: false },
        ...{
          aggTradeId: firstSlot,
          firstTradeId: firstSlot,
          lastTradeId: firstSlot,
          eventTime: ourStart + 125_000,
        },
      })),
    );
    expect(summary.ended).toBe('stopped');
    expect(summary.symbols).toMatchObject([
      { symbol: 'BTCUSDT', firstId: firstSlot, missed: 0 },
      { symbol: 'ETHUSDT', firstId: firstSlot, missed: 0 },
    ]);
    expect(ticker.topic.events).toContainEqual({
      cursors: expect.arrayContaining([
        expect.objectContaining({ source, symbol: 'BTCUSDT', feed: 'ticker', aggTradeId: firstSlot }),
      ]) as unknown,
    });
  });

  it('counts a slot as missed when the answer comes after its end, and never sends it late', async () => {
    const ticker = aTicker({
      until: 4,
      answer: async ({ slot }) => {
        if (slot === firstSlot + 1) await ticker.clock.sleep(intervalMs);
        return undefined;
      },
    });
    const summary = await ticker.run();
    expect(ticker.topic.idsOf('BTCUSDT').slice(0, 2)).toEqual([firstSlot, firstSlot + 2]);
    expect(summary.symbols.map(({ missed }) => missed)).toEqual([1, 1]);
  });

  it('ends a request that is still open when its slot is over', async () => {
    const aborted: number[] = [];
    const ticker = aTicker({
      until: 3,
      answer: ({ slot }, signal) =>
        slot !== firstSlot
          ? Promise.resolve(undefined)
          : new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                aborted.push(ticker.clock.now() + aheadMs);
                reject(new Error('aborted'));
              });
            }),
    });
    const summary = await ticker.run();
    expect(aborted).toEqual([(firstSlot + 1) * intervalMs]);
    expect(ticker.topic.idsOf('ETHUSDT')[0]).toBe(firstSlot + 1);
    expect(summary.symbols[0]).toMatchObject({ missed: 1 });
  });

  it('goes on after failures that may pass, and ends with one that will not', async () => {
    const failing = (error: Error) =>
      aTicker({
        until: 4,
        answer: ({ slot }) => (slot === firstSlot + 1 ? Promise.reject(error) : Promise.resolve(undefined)),
      });
    const passing = failing(new UnreachableError('down for a moment'));
    expect((await passing.run()).symbols[0]).toMatchObject({ missed: 1 });
    expect(passing.topic.idsOf('BTCUSDT').slice(0, 2)).toEqual([firstSlot, firstSlot + 2]);
    const lasting = failing(new UsageError('knows no symbol BTCUSDT'));
    await expect(lasting.run()).rejects.toThrow('knows no symbol BTCUSDT');
    expect(lasting.topic.idsOf('BTCUSDT')).toEqual([firstSlot]);
  });

  it('counts the slots that pass while Kafka is too slow to take more', async () => {
    const ticker = aTicker({ until: 3, produce: { capacity: 2 } });
    let isSlow = true;
    ticker.topic.onSend = async () => {
      if (isSlow) await ticker.clock.sleep(17_000);
      isSlow = false;
    };
    const summary = await ticker.run();
    expect(ticker.topic.idsOf('BTCUSDT').slice(0, 2)).toEqual([firstSlot, firstSlot + 3]);
    expect(summary.symbols[0]).toMatchObject({ missed: 2 });
  });

  it('misses a symbol without a price, and not the others', async () => {
    const ticker = aTicker({
      until: 2,
      answer: () =>
        Promise.resolve([
          { symbol: 'BTCUSDT', price: '0.00000000' },
          { symbol: 'ETHUSDT', price: '0.00000001' },
        ]),
    });
    const summary = await ticker.run();
    expect(ticker.topic.idsOf('BTCUSDT')).toEqual([]);
    expect(ticker.topic.idsOf('ETHUSDT')[0]).toBe(firstSlot);
    expect(summary.symbols[0]?.missed).toBeGreaterThanOrEqual(1);
    expect(summary.symbols[1]?.missed).toBe(0);
  });

  it('gives no sample of a symbol that is not traded, names it, and samples it when it is traded again', async () => {
    const ticker = aTicker({
      until: 12,
      answer: ({ slot }) => {
        if (slot >= firstSlot + 5) ticker.exchange.statuses.clear();
        return Promise.resolve(undefined);
      },
    });
    ticker.exchange.statuses.set('ETHUSDT', 'BREAK');
    const summary = await ticker.run();
    expect(ticker.problems[0]).toBe('ETHUSDT: the exchange does not trade it: its status is BREAK');
    expect(ticker.problems).toHaveLength(2);
    const [first = 0] = ticker.topic.idsOf('ETHUSDT');
    expect(first).toBeGreaterThan(firstSlot + 5);
    expect(first).toBeLessThanOrEqual(firstSlot + 9);
    expect(summary.symbols.map(({ missed }) => missed)).toEqual([0, first - firstSlot]);
  });

  it('reports an outage where no slot is answered in time, also where a slot is shorter than an outage', async () => {
    const ticker = aTicker({
      until: 8,
      answer: ({ slot }) =>
        slot >= firstSlot + 1 && slot < firstSlot + 5
          ? Promise.reject(new UnreachableError('down'))
          : Promise.resolve(undefined),
    });
    await ticker.run();
    expect(ticker.down).toEqual([
      'The exchange gave no prices within their slots of 5000 ms, 2 times in a row',
    ]);
  });

  it('begins after the slots that Kafka has, and refuses a cursor from the future', async () => {
    const cursor = (slot: number): Cursor => ({
      ...{
        source,
        symbol: 'ETHUSDT',
        feed: 'ticker',
        aggTradeId: slot,
        eventTime: slot * intervalMs,
        writtenAt: 0,
      },
    });
    const going = aTicker({ until: 2, cursors: [cursor(firstSlot + 1)] });
    await going.run();
    expect(going.topic.idsOf('ETHUSDT')[0]).toBe(firstSlot + 2);
    const ahead = aTicker({ until: 2, cursors: [cursor(firstSlot + 1000)] });
    await expect(ahead.run()).rejects.toThrow(/cursor of ETHUSDT stands at .* ahead of the exchange's clock/);
    const others = aTicker({
      until: 2,
      cursors: [{ ...cursor(firstSlot + 1000), source: 'binance-spot-ticker-1000' }],
    });
    await others.run();
    expect(others.topic.idsOf('ETHUSDT')[0]).toBe(firstSlot);
  });

  it('follows the clock of the exchange: measured again after ten minutes', async () => {
    const clock = new VirtualClock(ourStart);
    const exchange = new FakeExchange({ BTCUSDT: [aTick()] });
    const topic = new FakeTopic();
    const stop = new AbortController();
    let drift = 0;
    exchange.serverTime = () => {
      const answer = Promise.resolve(clock.now() + drift);
      drift = 60_000;
      return answer;
    };
    exchange.prices = (symbols) => {
      if (clock.now() > ourStart + 620_000) stop.abort(new Error('enough'));
      return Promise.resolve(symbols.map((symbol) => ({ symbol, price: '1' })));
    };
    const outages = new Outages();
    const summary = await produce(
      {
        feed: tickerFeed({ exchange, clock, outages }, { intervalMs }),
        topics: topic,
        sink: topic,
        clock,
        outages,
      },
      {
        symbols: ['BTCUSDT'],
        from: { kind: 'now' },
        ignoreCursor: false,
        progressIntervalMs: 1000,
        identity: { id: 'run', clientId: 'test', host: 'here', pid: 1 },
        giveUpAfterMs: Infinity,
        signal: stop.signal,
      },
      {
        onStart: () => undefined,
        onProgress: () => undefined,
        onGap: () => undefined,
        onProblem: () => undefined,
      },
    );
    const ids = topic.idsOf('BTCUSDT');
    const jumps = ids.flatMap((id, at) => (at > 0 && id !== ids[at - 1]! + 1 ? [id - ids[at - 1]! - 1] : []));
    expect(jumps).toEqual([summary.symbols[0]!.missed]);
    expect(jumps[0]).toBeGreaterThanOrEqual(11);
  });

  it.each([
    [7000, '6000 or 7500'],
    [59_999, '30000 or 60000'],
    [120_000, '60000'],
    [1, undefined],
    [60_000, undefined],
  ])('takes only intervals that divide a minute: %i', async (interval, near) => {
    const exchange = new FakeExchange({ BTCUSDT: [aTick()] });
    const feed = tickerFeed(
      { exchange, clock: new VirtualClock(), outages: new Outages() },
      { intervalMs: interval },
    );
    const checked = feed.listed(['BTCUSDT'], new AbortController().signal);
    if (near === undefined) await checked;
    else {
      const error = await checked.catch((thrown: unknown) => thrown as UsageError);
      expect(error).toBeInstanceOf(UsageError);
      expect((error as UsageError).nextStep).toContain(`Take ${near} for --interval`);
    }
  });
});
