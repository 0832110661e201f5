import { describe, expect, it } from 'vitest';
import { findProducers } from '../../../src/core/producer-findings.js';
import type { ProducerHeartbeat } from '../../../src/core/producer-heartbeat.js';
import type { Cursor } from '../../../src/core/ports/topic.js';

const now = Date.UTC(2026, 10, 23, 21, 30);
const limits = { now, pollIntervalMs: 5000 };

const cursor = (seconds: number, values: Partial<Cursor> = {}): Cursor => ({
  source: 'binance-spot',
  symbol: 'BTCUSDT',
  feed: 'stream',
  aggTradeId: 7,
  eventTime: 0,
  writtenAt: now - seconds * 1000,
  ...values,
});

const heartbeat = (seconds: number, values: Partial<ProducerHeartbeat> = {}): ProducerHeartbeat => ({
  ...{ id: 'a', clientId: 'cryptopipe', host: 'here', pid: 77, feed: 'stream', source: 'binance-spot' },
  startedAt: now - 3_600_000,
  writtenAt: now - seconds * 1000,
  outages: [],
  symbols: [{ symbol: 'BTCUSDT', answeredAt: now - seconds * 1000 }],
  ...values,
});

const problemsOf = (...producers: ProducerHeartbeat[]): readonly string[] =>
  findProducers({ cursors: [], producers }, [], limits).problems;

describe('the producers', () => {
  it('run while a heartbeat is younger than a minute, however old the cursor of a quiet market is', () => {
    const found = findProducers({ cursors: [cursor(7200)], producers: [heartbeat(59)] }, [], limits);
    expect(found).toMatchObject({ summary: 'BTCUSDT stream: id 7, 2 h ago', problems: [] });
  });

  it('run before anything was produced', () => {
    expect(findProducers({ cursors: [], producers: [heartbeat(1)] }, [], limits)).toMatchObject({
      summary: 'a producer runs, and nothing was produced yet',
      problems: [],
    });
  });

  it('have died when the last heartbeat is older', () => {
    expect(problemsOf(heartbeat(61))).toEqual([
      'the producer of BTCUSDT (stream, pid 77 on here) died: its last heartbeat is 61 s old; start it again',
    ]);
  });

  it('are named with a few of many symbols', () => {
    const symbols = Array.from({ length: 1000 }, (_, index) => ({ symbol: `S${index}` }));
    expect(problemsOf(heartbeat(61, { symbols }))).toEqual([
      expect.stringContaining('the producer of S0, S1, S2, S3, S4 and 995 more (stream'),
    ]);
  });

  it('may have ended by order, or when they had caught up; an archive is no feed that runs', () => {
    const found = findProducers(
      { cursors: [cursor(600)], producers: [heartbeat(590, { endedBy: 'order' })] },
      [],
      limits,
    );
    expect(found).toMatchObject({
      summary: 'BTCUSDT stream: id 7, 10 min ago (stopped by order)',
      problems: [],
    });
    expect(problemsOf(heartbeat(600, { endedBy: 'caught up' }))).toEqual([]);
    expect(problemsOf(heartbeat(600, { feed: 'archive:2024-08-01..2024-08-08' }))).toEqual([]);
  });

  it('run although the cursor of an earlier one was the last that it wrote', () => {
    const found = findProducers(
      { cursors: [cursor(600, { endedBy: 'order' })], producers: [heartbeat(5)] },
      [],
      limits,
    );
    expect(found).toMatchObject({ summary: 'BTCUSDT stream: id 7, 10 min ago', problems: [] });
  });

  it('are no loss where another one has their symbols, whatever its feed', () => {
    expect(problemsOf(heartbeat(600, { feed: 'poll' }), heartbeat(5, { id: 'b' }))).toEqual([]);
    const wider = heartbeat(600, { symbols: [{ symbol: 'BTCUSDT' }, { symbol: 'XRPUSDT' }] });
    expect(problemsOf(wider, heartbeat(5, { id: 'b' }))).toEqual([
      expect.stringMatching(/^the producer of XRPUSDT \(stream/),
    ]);
    const ticker = heartbeat(600, { feed: 'ticker', source: 'binance-spot-ticker-5000' });
    expect(problemsOf(ticker, heartbeat(5, { id: 'b' }))).toHaveLength(1);
  });

  it('are not missed for a symbol that was given up after they died, unless one wants it again', () => {
    const givenUp = cursor(100, { endedBy: 'given up' });
    const dead = heartbeat(600);
    const found = findProducers({ cursors: [givenUp], producers: [dead] }, [], limits);
    expect(found).toMatchObject({
      summary: 'BTCUSDT stream: id 7, 100 s ago (given up)',
      problems: [],
    });
    const again = heartbeat(61, { startedAt: now - 90_000 });
    expect(findProducers({ cursors: [givenUp], producers: [again] }, [], limits).problems).toHaveLength(1);
  });

  it('are forgotten after a week', () => {
    expect(problemsOf(heartbeat(8 * 24 * 3600))).toEqual([]);
  });

  it('wait for a system that gives no answer, which is named with the begin of the outage', () => {
    const outages = [{ system: 'exchange', since: now - 240_000, reason: 'it answered 503' }];
    const quiet = { symbols: [{ symbol: 'BTCUSDT', answeredAt: now - 600_000 }] };
    expect(problemsOf(heartbeat(5, { outages, ...quiet }))).toEqual([
      'the producer (stream, pid 77 on here) waits for exchange since 2026-11-23T21:26:00Z (4 min): it answered 503',
    ]);
  });

  it('hang where the exchange has not answered about a symbol for minutes and no outage explains it', () => {
    const symbols = (seconds: number) => [
      { symbol: 'BTCUSDT', answeredAt: now - seconds * 1000 },
      { symbol: 'ETHUSDT', answeredAt: now - 5000 },
    ];
    expect(problemsOf(heartbeat(0, { symbols: symbols(184) }))).toEqual([]);
    expect(problemsOf(heartbeat(0, { symbols: symbols(185) }))).toEqual([
      "the feed of BTCUSDT (stream, pid 77 on here) hangs: the exchange's last answer is 3 min old; restart the producer",
    ]);
    expect(problemsOf(heartbeat(0, { symbols: [{ symbol: 'BTCUSDT' }] }))).toHaveLength(1);
    const started = { startedAt: now - 10_000, symbols: [{ symbol: 'BTCUSDT' }] };
    expect(problemsOf(heartbeat(0, started))).toEqual([]);
  });

  it('hang later where each poll is rare', () => {
    const symbols = [{ symbol: 'BTCUSDT', answeredAt: now - 400_000 }];
    const found = findProducers({ cursors: [], producers: [heartbeat(0, { symbols })] }, [], {
      now,
      pollIntervalMs: 300_000,
    });
    expect(found.problems).toEqual([]);
  });

  it('name the symbol of which nothing is collected, once', () => {
    const symbols = [{ symbol: 'OLDUSDT', problem: 'its status is HALT' }];
    expect(problemsOf(heartbeat(0, { symbols }))).toEqual(['OLDUSDT (stream): its status is HALT']);
  });

  it('have died when the process that was started is not there', () => {
    const died = [{ name: 'produce', state: 'died' as const }];
    expect(findProducers({ cursors: [], producers: [heartbeat(600)] }, died, limits).problems).toEqual([
      'produce died: see `cryptopipe stack logs produce`',
    ]);
  });

  it('that crashed and wait are named once; those that were started again are no problem', () => {
    const at = (ms: number) => ({ count: 2, cause: 'exit code 1', at: new Date(ms).toISOString() });
    const restarts = at(now + 8000);
    const waiting = [{ name: 'produce', state: 'unhealthy' as const, restarts }];
    expect(findProducers({ cursors: [], producers: [heartbeat(600)] }, waiting, limits).problems).toEqual([
      'produce waits 8 s to start again: it crashed 2 times, last with exit code 1',
    ]);
    const again = [{ name: 'produce', state: 'running' as const, restarts: at(now - 8000) }];
    expect(findProducers({ cursors: [cursor(1)], producers: [heartbeat(1)] }, again, limits)).toMatchObject({
      summary:
        'BTCUSDT stream: id 7, 1 s ago; produce crashed 2 times and was started again, last 8 s ago after exit code 1',
      problems: [],
      facts: { background: again },
    });
  });

  it('are judged by nothing where only cursors of an earlier version are there', () => {
    expect(findProducers({ cursors: [cursor(7200)], producers: [] }, [], limits).problems).toEqual([]);
  });
});
