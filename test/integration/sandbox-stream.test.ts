import { afterEach, describe, expect, it } from 'vitest';
import type { RunningSandbox } from '../../src/core/ports/sandbox.js';
import { aPlayedTape, removePlayedTapes } from '../support/played-tape.js';
import { aSandbox, getJson, stopSandboxes, type TradeRow } from '../support/sandbox.js';
import { aClient, closeClients, type StreamTrade } from '../support/stream-client.js';

afterEach(async () => {
  closeClients();
  await stopSandboxes();
  await removePlayedTapes();
});

const busySandbox = async (): Promise<RunningSandbox> =>
  aSandbox({ tape: await aPlayedTape('BTCUSDT', 'ETHUSDT') });
const isTrade = ({ e }: StreamTrade): boolean => e === 'aggTrade';
interface Wrapped {
  readonly stream?: string;
  readonly data: StreamTrade;
}

describe('a raw stream of the sandbox', () => {
  it('carries the trades that REST answers, from now on, without a gap', async () => {
    const { url } = await busySandbox();
    const before = (await getJson<TradeRow[]>(url, '/api/v3/aggTrades?symbol=BTCUSDT&limit=1'))[0]!;
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    const trades = await client.collect<StreamTrade>(100, isTrade);
    expect(trades[0]!.a).toBeGreaterThan(before.a);
    const rows = await getJson<TradeRow[]>(
      url,
      `/api/v3/aggTrades?symbol=BTCUSDT&fromId=${trades[0]!.a}&limit=100`,
    );
    expect(trades.map(({ a, p, q, f, l, T, m, M }) => ({ a, p, q, f, l, T, m, M }))).toEqual(rows);
    for (const { s, E, T } of trades) {
      expect(s).toBe('BTCUSDT');
      expect(E).toBeGreaterThanOrEqual(T);
    }
  });

  it('carries two symbols in order of time', async () => {
    const { url } = await busySandbox();
    const client = await aClient(url, '/ws/btcusdt@aggTrade/ethusdt@aggTrade');
    const trades = await client.collect<StreamTrade>(100, isTrade);
    expect(new Set(trades.map(({ s }) => s))).toEqual(new Set(['BTCUSDT', 'ETHUSDT']));
    const times = trades.map(({ T }) => T);
    expect(times).toEqual([...times].sort((left, right) => left - right));
  });

  it('replays nothing to who comes back', async () => {
    const { url } = await busySandbox();
    const first = await aClient(url, '/ws/btcusdt@aggTrade');
    const last = (await first.collect<StreamTrade>(5, isTrade))[4]!.a;
    first.socket.close();
    await first.closed;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const newest = (await getJson<TradeRow[]>(url, '/api/v3/aggTrades?symbol=BTCUSDT&limit=1'))[0]!;
    expect(newest.a).toBeGreaterThan(last);
    const second = await aClient(url, '/ws/btcusdt@aggTrade');
    expect((await second.collect<StreamTrade>(1, isTrade))[0]!.a).toBeGreaterThan(newest.a);
  });
});

describe('a combined stream of the sandbox', () => {
  it('names the stream of each message, in microseconds where asked', async () => {
    const { url } = await busySandbox();
    const path = '/stream?streams=btcusdt@aggTrade/ethusdt@aggTrade&timeUnit=MICROSECOND';
    const client = await aClient(url, path);
    const messages = await client.collect<Wrapped>(40, ({ stream }) => stream !== undefined);
    for (const { stream, data } of messages) {
      expect(stream).toBe(`${data.s.toLowerCase()}@aggTrade`);
      expect(String(data.T)).toMatch(/^\d{13}000$/);
      expect(String(data.E)).toMatch(/^\d{16}$/);
    }
  });
});

describe('control messages', () => {
  it('subscribe, list, and unsubscribe', async () => {
    const { url } = await busySandbox();
    const client = await aClient(url, '/ws');
    const params = ['btcusdt@aggTrade', 'ethusdt@aggTrade'];
    expect(await client.ask({ method: 'SUBSCRIBE', params, id: 1 })).toEqual({ result: null, id: 1 });
    await client.collect<StreamTrade>(10, isTrade);
    expect(await client.ask({ method: 'UNSUBSCRIBE', params: [params[0]], id: 'b' })).toEqual({
      result: null,
      id: 'b',
    });
    expect(await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 3 })).toEqual({ result: [params[1]], id: 3 });
    const seen = client.messages.length;
    await client.collect<StreamTrade>(seen + 10, () => true);
    expect(client.messages.slice(seen).some((text) => text.includes('BTCUSDT'))).toBe(false);
  });

  it('more than five in a second close the connection with 1008', async () => {
    const { url } = await busySandbox();
    const client = await aClient(url, '/ws');
    for (let id = 1; id <= 6; id += 1) client.socket.send(`{"method":"LIST_SUBSCRIPTIONS","id":${id}}`);
    expect(await client.closed).toEqual({ code: 1008, reason: 'Too many requests' });
    expect(client.messages).toHaveLength(5);
  });
});
