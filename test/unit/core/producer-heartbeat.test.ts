import { describe, expect, it } from 'vitest';
import {
  heartbeatKey,
  heartbeatMessage,
  parseHeartbeat,
  replacedBy,
  type ProducerHeartbeat,
} from '../../../src/core/producer-heartbeat.js';
import { parseCursor } from '../../../src/core/cursor.js';

const heartbeat: ProducerHeartbeat = {
  id: 'a1',
  clientId: 'cryptopipe',
  host: 'here',
  pid: 77,
  feed: 'stream',
  source: 'binance-spot',
  startedAt: 1000,
  writtenAt: 2000,
  endedBy: 'order',
  outages: [{ system: 'exchange', since: 1500, reason: 'no answer' }],
  symbols: [
    { symbol: 'BTCUSDT', answeredAt: 1999 },
    { symbol: 'OLDUSDT', problem: 'its status is HALT' },
  ],
};

describe('a heartbeat', () => {
  it('comes back as it was written, and is no cursor', () => {
    const text = heartbeatMessage(heartbeat);
    expect(parseHeartbeat(text)).toEqual(heartbeat);
    expect(parseCursor(text)).toBeUndefined();
  });

  it('has a key of its own for each start', () => {
    expect(heartbeatKey(heartbeat)).toBe('producer/cryptopipe/stream/a1');
  });

  it('fits into a message of 1 MiB however many symbols have a long problem', () => {
    const symbols = Array.from({ length: 20_000 }, (_, index) => ({
      symbol: `SYMBOL${index}`,
      answeredAt: 1_790_000_000_000,
      problem: 'x'.repeat(index % 10 === 0 ? 5000 : 0),
    }));
    const text = heartbeatMessage({ ...heartbeat, symbols });
    expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
    expect(parseHeartbeat(text)?.symbols).toHaveLength(5000);
  });

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a time that is text', heartbeatMessage({ ...heartbeat, writtenAt: 'now' as unknown as number })],
    ['symbols without a name', heartbeatMessage({ ...heartbeat, symbols: [{} as { symbol: string }] })],
    ['no outages', JSON.stringify({ ...heartbeat, outages: undefined })],
  ])('is not read from %s', (_what, text) => {
    expect(parseHeartbeat(text)).toBeUndefined();
  });
});

describe('a producer that starts', () => {
  const starting = { ...heartbeat, id: 'b2', startedAt: 1_000_000_000_000 };
  const other = (values: Partial<ProducerHeartbeat>): ProducerHeartbeat => ({
    ...heartbeat,
    endedBy: undefined,
    writtenAt: starting.startedAt - 1000,
    ...values,
  });
  const isReplaced = (values: Partial<ProducerHeartbeat>): boolean =>
    replacedBy(starting, [other(values)]).length > 0;

  it('replaces the one that did the same before, however short ago it crashed', () => {
    expect(isReplaced({ host: 'elsewhere' })).toBe(true);
    expect(isReplaced({ symbols: [{ symbol: 'BTCUSDT' }] })).toBe(true);
  });

  it('leaves one of other symbols, of another feed, source or client as it is', () => {
    expect(isReplaced({ symbols: [{ symbol: 'BTCUSDT' }, { symbol: 'XRPUSDT' }] })).toBe(false);
    expect(isReplaced({ feed: 'poll' })).toBe(false);
    expect(isReplaced({ source: 'binance-spot-ticker-5000' })).toBe(false);
    expect(isReplaced({ clientId: 'second' })).toBe(false);
  });

  it('removes what crashed or ended on its host with symbols that it has not any more', () => {
    const dropped = { symbols: [{ symbol: 'XRPUSDT' }] };
    expect(isReplaced({ ...dropped, writtenAt: starting.startedAt - 61_000 })).toBe(true);
    expect(isReplaced({ ...dropped, endedBy: 'order' })).toBe(true);
    expect(isReplaced({ ...dropped, writtenAt: starting.startedAt - 61_000, host: 'elsewhere' })).toBe(false);
  });

  it('removes everything that is older than a week', () => {
    const old = starting.startedAt - 8 * 24 * 3600 * 1000;
    expect(isReplaced({ clientId: 'second', host: 'elsewhere', writtenAt: old })).toBe(true);
  });
});
