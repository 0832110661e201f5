import { Outages } from '../../../src/core/outages.js';
import { describe, expect, it } from 'vitest';
import { heal, type HealOptions, type HealProgress } from '../../../src/commands/heal.js';
import { JobFailedError, UnreachableError, UsageError } from '../../../src/core/errors.js';
import type { IdRange } from '../../../src/core/ports/bars.js';
import type { JobRun } from '../../../src/core/ports/runs.js';
import type { Tick } from '../../../src/core/tick.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeCounting } from '../../support/fake-counting.js';
import { FakeExchange } from '../../support/fake-exchange.js';
import { aRun, MemoryRuns } from '../../support/memory-runs.js';
import { aTick, ticksFrom } from '../../support/ticks.js';

const range = (firstId: number, lastId: number): IdRange => ({ firstId, lastId });

interface World {
  readonly tape?: Record<string, Tick[]>;
  readonly covered?: Record<string, readonly IdRange[]>;
  readonly run?: Partial<JobRun> | undefined;
}

/** Trades 0 to 9,999 of BTCUSDT, of which 100 to 149 and 3,000 to 5,499 are not counted. */
function aWorld({ tape, covered, ...world }: World = {}) {
  const exchange = new FakeExchange(tape ?? { BTCUSDT: ticksFrom(0, 9999) });
  const counting = new FakeCounting(
    exchange,
    covered ?? { BTCUSDT: [range(0, 99), range(150, 2999), range(5500, 9999)] },
  );
  const clock = new FakeClock();
  const now = new Date(clock.now());
  const runs = 'run' in world && world.run === undefined ? [] : [{ ...world.run }];
  const book = new MemoryRuns(
    clock,
    runs.map((run) =>
      aRun({ state: 'RUNNING', createdAt: now, heartbeatAt: new Date(now.getTime() + 1e7), ...run }),
    ),
  );
  const progress: HealProgress[] = [];
  const { bars, topics, topic: sink } = counting;
  const run = (options: Partial<HealOptions> = {}) =>
    heal(
      { bars, topics, sink, exchange, outages: new Outages(), book, clock },
      {
        ...{ source: 'binance-spot', topic: 'topic', symbols: undefined },
        wanted: { from: undefined, to: undefined },
        maxWeight: 3000,
        timeoutMs: 60_000,
        isDryRun: false,
        signal: new AbortController().signal,
        ...options,
      },
      (one) => progress.push(one),
    );
  return { exchange, counting, clock, book, progress, run };
}

const wanted = (from?: number, to?: number) => ({
  from: from === undefined ? undefined : ({ kind: 'id', id: from } as const),
  to: to === undefined ? undefined : ({ kind: 'id', id: to } as const),
});

describe('heal', () => {
  it('fetches exactly the missing ids, and is whole when they are counted', async () => {
    const { counting, exchange, run } = aWorld();
    expect(await run()).toMatchObject({
      isWhole: true,
      requests: 5,
      weight: 20,
      symbols: [
        {
          symbol: 'BTCUSDT',
          missing: [range(100, 149), range(3000, 5499)],
          missingIds: 2550,
          healedIds: 2550,
          left: [],
        },
      ],
    });
    expect(counting.topic.idsOf('BTCUSDT')).toEqual(
      [...ticksFrom(100, 149), ...ticksFrom(3000, 5499)].map(({ aggTradeId }) => aggTradeId),
    );
    expect(counting.rangesOf('BTCUSDT')).toEqual([range(0, 9999)]);
    expect(exchange.queries.slice(1)).toEqual([
      { symbol: 'BTCUSDT', fromId: 100, limit: 50 },
      { symbol: 'BTCUSDT', fromId: 3000, limit: 1000 },
      { symbol: 'BTCUSDT', fromId: 4000, limit: 1000 },
      { symbol: 'BTCUSDT', fromId: 5000, limit: 500 },
    ]);
  });

  it('brings small holes that lie near with one request, without the counted trades between them', async () => {
    const { counting, exchange, run } = aWorld({
      covered: { BTCUSDT: [range(0, 9), range(12, 19), range(23, 9999)] },
    });
    await run();
    expect(exchange.queries.slice(1)).toEqual([{ symbol: 'BTCUSDT', fromId: 10, limit: 13 }]);
    expect(counting.topic.idsOf('BTCUSDT')).toEqual([10, 11, 20, 21, 22]);
  });

  it('asks nobody but the warehouse where nothing is missing', async () => {
    const { exchange, counting, run } = aWorld({ covered: { BTCUSDT: [range(0, 9)] }, run: undefined });
    expect(await run()).toMatchObject({ isWhole: true, requests: 0, symbols: [{ missingIds: 0, left: [] }] });
    expect([exchange.queries, counting.topic.events]).toEqual([[], []]);
  });

  it('leaves a symbol alone that was not named', async () => {
    const { counting, run } = aWorld({
      tape: { BTCUSDT: ticksFrom(0, 99), ETHUSDT: ticksFrom(0, 99, 'ETHUSDT') },
      covered: { BTCUSDT: [range(0, 9), range(20, 99)], ETHUSDT: [range(0, 9), range(20, 99)] },
    });
    const { symbols } = await run({ symbols: ['ETHUSDT'] });
    expect(symbols.map(({ symbol }) => symbol)).toEqual(['ETHUSDT']);
    expect(counting.rangesOf('ETHUSDT')).toEqual([range(0, 99)]);
    expect(counting.rangesOf('BTCUSDT')).toHaveLength(2);
  });

  it('says what it would fetch and what that costs, and sends nothing, in a dry run', async () => {
    const { counting, run } = aWorld({ run: undefined });
    expect(await run({ isDryRun: true })).toMatchObject({
      isWhole: false,
      requests: 5,
      weight: 20,
      symbols: [{ missing: [range(100, 149), range(3000, 5499)], missingIds: 2550, healedIds: 0 }],
    });
    expect(counting.topic.events).toEqual([]);
  });
});

describe('heal of a wanted range', () => {
  const covered = { BTCUSDT: [range(1000, 1999), range(2100, 2999)] };

  it('fetches the edges too, up to the end that is not included', async () => {
    const { counting, run } = aWorld({ covered });
    expect((await run({ wanted: wanted(900, 3100) })).symbols[0]?.missing).toEqual([
      range(900, 999),
      range(2000, 2099),
      range(3000, 3099),
    ]);
    expect(counting.rangesOf('BTCUSDT')).toEqual([range(900, 3099)]);
  });

  it('reckons times as the ids of the first trade from then on', async () => {
    const { counting, run } = aWorld({ covered });
    const at = (id: number) => ({ kind: 'time', time: aTick({ aggTradeId: id }).eventTime - 1 }) as const;
    await run({ wanted: { from: at(950), to: at(3050) } });
    expect(counting.rangesOf('BTCUSDT')).toEqual([range(950, 3049)]);
  });

  it('takes a time beyond the newest trade for the end of all there is', async () => {
    const { counting, run } = aWorld({ covered });
    const to = { kind: 'time', time: aTick({ aggTradeId: 20_000 }).eventTime } as const;
    expect(await run({ wanted: { from: undefined, to } })).toMatchObject({ isWhole: true });
    expect(counting.rangesOf('BTCUSDT')).toEqual([range(1000, 9999)]);
  });

  it('heals within the coverage only what the range names', async () => {
    const { counting, run } = aWorld();
    await run({ wanted: wanted(120, 3500) });
    expect(counting.rangesOf('BTCUSDT')).toEqual([range(0, 99), range(120, 3499), range(5500, 9999)]);
  });

  it('fetches a range of a symbol of which nothing was counted', async () => {
    const { counting, run } = aWorld({ covered: {} });
    await run({ symbols: ['BTCUSDT'], wanted: wanted(9000) });
    expect(counting.rangesOf('BTCUSDT')).toEqual([range(9000, 9999)]);
  });

  it('needs to know where to begin where nothing was counted', async () => {
    const { run } = aWorld({ covered: {} });
    await expect(run({ symbols: ['BTCUSDT'] })).rejects.toThrow(UsageError);
  });
});

describe('heal says why ids could not be had:', () => {
  const covered = { BTCUSDT: [range(0, 9), range(20, 99)] };
  const tape = (missing: readonly number[]) => ({
    BTCUSDT: ticksFrom(0, 99).filter(({ aggTradeId }) => !missing.includes(aggTradeId)),
  });

  it('never published, where the exchange answers with the ids around them', async () => {
    const { counting, run } = aWorld({ covered, tape: tape([10, 14, 15, 19]) });
    expect(await run()).toMatchObject({
      isWhole: false,
      symbols: [
        {
          healedIds: 6,
          left: [
            { ...range(10, 10), why: 'never published' },
            { ...range(14, 15), why: 'never published' },
            { ...range(19, 19), why: 'never published' },
          ],
        },
      ],
    });
    expect(counting.rangesOf('BTCUSDT')).toEqual([range(0, 9), range(11, 13), range(16, 18), range(20, 99)]);
  });

  it('asks not page by page through ids that never were', async () => {
    const { exchange, run } = aWorld({
      tape: { BTCUSDT: [...ticksFrom(0, 9), ...ticksFrom(5_000_000, 5_000_009)] },
      covered: { BTCUSDT: [range(0, 9), range(5_000_005, 5_000_009)] },
    });
    expect((await run()).symbols[0]?.left).toEqual([{ ...range(10, 4_999_999), why: 'never published' }]);
    expect(exchange.queries).toHaveLength(2);
  });

  it('not yet, above its newest trade: and that is no failure', async () => {
    const { run } = aWorld({ covered });
    expect(await run({ wanted: wanted(undefined, 12_000) })).toMatchObject({
      isWhole: true,
      symbols: [{ missingIds: 9910, healedIds: 9910, left: [{ ...range(10_000, 11_999), why: 'not yet' }] }],
    });
  });

  it('refused at once, where a row cannot be read: the others are counted', async () => {
    const { exchange, counting, run } = aWorld({ covered, tape: tape([]) });
    exchange.unreadable.set(13, 'its price `p` is not a decimal text');
    const { isWhole, symbols } = await run();
    expect(isWhole).toBe(false);
    expect(symbols[0]?.left).toEqual([
      { ...range(13, 13), why: 'refused', reason: 'its price `p` is not a decimal text' },
    ]);
    expect(counting.rangesOf('BTCUSDT')).toEqual([range(0, 12), range(14, 99)]);
    // One for the plan, and the page three times: a row that cannot be read may be a fault that passes.
    expect(exchange.queries).toHaveLength(4);
    expect(counting.topic.rejected).toMatchObject([
      { symbol: 'BTCUSDT', id: 13, reason: 'its price `p` is not a decimal text' },
    ]);
  });

  it('refused, where a row cannot even be named', async () => {
    const { exchange, counting, run } = aWorld({ covered, tape: tape([]) });
    const rows = exchange.tradeRows.bind(exchange);
    exchange.tradeRows = async (query) =>
      (await rows(query)).map((row) =>
        row.id === 19 ? { id: undefined, reason: 'it is not an object', raw: 'null' } : row,
      );
    expect((await run()).symbols[0]?.left).toEqual([
      {
        ...range(19, 19),
        why: 'refused',
        reason: 'a row in their place cannot be read: it is not an object',
      },
    ]);
    expect(counting.rangesOf('BTCUSDT')).toEqual([range(0, 18), range(20, 99)]);
  });

  it('refused, after the job went three times past a trade without counting it', async () => {
    const { counting, run } = aWorld({ covered, tape: tape([]) });
    counting.rejected.set(12, Infinity);
    counting.rejected.set(15, 2);
    const { symbols, isWhole } = await run();
    expect(isWhole).toBe(false);
    expect(symbols[0]).toMatchObject({ healedIds: 9, left: [{ ...range(12, 12), why: 'refused' }] });
    expect(symbols[0]?.left[0]?.reason).toContain('sent 3 times');
    expect(counting.topic.idsOf('BTCUSDT').slice(10)).toEqual([12, 15, 12, 15]);
  });

  it('not counted, where the job does not come to them in time', async () => {
    const { counting, clock, run } = aWorld({ covered, tape: tape([]) });
    counting.isCounting = false;
    const start = clock.now();
    expect(await run({ timeoutMs: 5000 })).toMatchObject({
      isWhole: false,
      symbols: [{ healedIds: 0, left: [{ ...range(10, 19), why: 'not counted' }] }],
    });
    expect(clock.now() - start).toBe(5000);
    expect(counting.topic.idsOf('BTCUSDT')).toHaveLength(10);
  });

  it('later, where the request weight is spent', async () => {
    const { counting, run } = aWorld();
    expect(await run({ maxWeight: 15 })).toMatchObject({
      isWhole: false,
      requests: 3,
      weight: 12,
      symbols: [{ healedIds: 1050, left: [{ ...range(4000, 5499), why: 'later' }] }],
    });
    expect(counting.rangesOf('BTCUSDT')).toEqual([range(0, 3999), range(5500, 9999)]);
  });
});

describe('heal does not begin', () => {
  it('where no streaming job runs', async () => {
    const { counting, exchange, run } = aWorld({ run: undefined });
    await expect(run()).rejects.toThrow('Nobody counts trades: no streaming job runs');
    expect([counting.topic.events, exchange.queries]).toEqual([[], [expect.anything()]]);
  });

  it('where the job that should count has fallen silent', async () => {
    const { run } = aWorld({ run: { heartbeatAt: new Date(0) } });
    await expect(run()).rejects.toThrow(UnreachableError);
  });

  it('where the exchange has another history', async () => {
    const { counting, exchange, run } = aWorld();
    exchange.tape['BTCUSDT'] = ticksFrom(0, 9999).map((tick) => ({ ...tick, eventTime: tick.eventTime + 1 }));
    await expect(run()).rejects.toThrow(JobFailedError);
    expect(counting.topic.events).toEqual([]);
  });

  it('where the weight does not even suffice to look', async () => {
    await expect(aWorld().run({ maxWeight: 3 })).rejects.toThrow(UsageError);
  });
});

describe('heal ends', () => {
  it('at once when the job ends while it waits, and says that nothing is lost', async () => {
    const { counting, book, clock, run } = aWorld();
    counting.isCounting = false;
    clock.onSleep.push(() => book.change('20261123t211500-aaaaaa', { state: 'FAILED' }));
    const start = clock.now();
    await expect(run()).rejects.toMatchObject({
      exitCode: 4,
      message: 'Nobody counts trades: no streaming job runs',
      nextStep: expect.stringContaining('stands in Kafka') as string,
    });
    expect(clock.now() - start).toBeLessThan(1000);
  });

  it('when the signal aborts, between two pages', async () => {
    const { exchange, counting, run } = aWorld();
    const stop = new AbortController();
    exchange.onTrades = (query) => {
      if ('fromId' in query && query.fromId === 3000) stop.abort();
    };
    await expect(run({ signal: stop.signal })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    expect(counting.topic.idsOf('BTCUSDT')).toHaveLength(50);
  });
});
