import { afterEach, describe, expect, it } from 'vitest';
import type { RunningSandbox, SandboxOptions } from '../../src/core/ports/sandbox.js';
import { aPlayedTape, removePlayedTapes } from '../support/played-tape.js';
import { aSandbox, get, getJson, stopSandboxes } from '../support/sandbox.js';
import { aClient, closeClients, type StreamClient, type StreamTrade } from '../support/stream-client.js';

afterEach(async () => {
  closeClients();
  await stopSandboxes();
  await removePlayedTapes();
});

interface FaultLog {
  readonly counts: Record<string, number>;
  readonly entries: readonly {
    readonly by: string;
    readonly kind: string;
    readonly fault: Record<string, unknown>;
    readonly connection?: number;
    readonly trades?: readonly { readonly symbol: string; readonly id: number }[];
  }[];
}

const playing = async (overrides: Partial<SandboxOptions> = {}): Promise<RunningSandbox> =>
  aSandbox({ tape: await aPlayedTape('BTCUSDT'), ...overrides });
const order = async (url: string, fault: Record<string, unknown>): Promise<number> =>
  (await fetch(`${url}/sandbox/faults`, { method: 'POST', body: JSON.stringify(fault) })).status;
const logOf = (url: string): Promise<FaultLog> => getJson(url, '/sandbox/faults/log');
const isTrade = ({ e }: StreamTrade): boolean => e === 'aggTrade';

/** Ids up to some after the last that a fault met. */
async function idsAround(client: StreamClient, url: string): Promise<{ ids: number[]; met: number[] }> {
  await client.collect<StreamTrade>(client.messages.length + 40, isTrade);
  const { entries } = await logOf(url);
  const met = (entries[0]?.trades ?? []).map(({ id }) => id);
  const ids = client.messages.map((text) => (JSON.parse(text) as StreamTrade).a);
  return { ids, met };
}
const range = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => first + at);

describe('a fault on request', () => {
  it('drops messages, and lists which', async () => {
    const { url } = await playing();
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    const [first] = await client.collect<StreamTrade>(1, isTrade);
    expect(await order(url, { stream: 'drop', count: 3 })).toBe(200);
    const { ids, met } = await idsAround(client, url);
    expect(met).toEqual(range(met[0]!, 3));
    expect(ids).toEqual(range(first!.a, ids.length + 3).filter((id) => !met.includes(id)));
  });

  it('doubles messages', async () => {
    const { url } = await playing();
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    const [first] = await client.collect<StreamTrade>(1, isTrade);
    await order(url, { stream: 'double', count: 4 });
    const { ids, met } = await idsAround(client, url);
    const once = range(first!.a, ids.length - 4);
    expect(ids).toEqual(once.flatMap((id) => (met.includes(id) ? [id, id] : [id])));
    expect(met).toHaveLength(4);
  });

  it('sends messages in reverse', async () => {
    const { url } = await playing();
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    await client.collect<StreamTrade>(1, isTrade);
    await order(url, { stream: 'reorder', count: 5 });
    const { ids, met } = await idsAround(client, url);
    const at = ids.indexOf(met.at(-1)!);
    expect(ids.slice(at, at + 5)).toEqual([...met].reverse());
    expect([...ids].sort((left, right) => left - right)).toEqual(range(ids[0]!, ids.length));
  });

  it('silences a connection, pings and pongs included, and loses what was due meanwhile', async () => {
    const { url } = await playing({});
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    await client.collect<StreamTrade>(1, isTrade);
    await order(url, { stream: 'silence', seconds: 1 });
    let pongs = 0;
    client.socket.on('pong', () => (pongs += 1));
    // Silence begins with the next tick.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = client.messages.length;
    client.socket.ping();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([client.messages.length, pongs]).toEqual([before, 0]);
    const trades = await client.collect<StreamTrade>(before + 1, isTrade);
    expect(trades[before]!.a).toBeGreaterThan(trades[before - 1]!.a + 10);
  });

  it.each([
    [{ stream: 'close', code: 1001 }, 1001, 'close 1001'],
    [{ stream: 'close', code: 1006 }, 1006, 'close 1006'],
    [{ stream: 'close', code: 1008 }, 1008, 'close 1008'],
    [{ stream: 'cut', afterSeconds: 0.1 }, 1001, 'cut'],
  ])('%j ends the connection', async (fault, code, kind) => {
    const { url } = await playing();
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    await order(url, fault);
    expect((await client.closed).code).toBe(code);
    expect(client.messages.every((text) => isTrade(JSON.parse(text) as StreamTrade))).toBe(true);
    expect((await logOf(url)).counts).toEqual({ [kind]: 1 });
  });

  it('announces a shutdown and keeps it, in raw and in combined form', async () => {
    const { url } = await playing();
    for (const [path, expected] of [
      ['/ws/btcusdt@aggTrade', { e: 'serverShutdown', E: expect.any(Number) as number }],
      [
        '/stream?streams=btcusdt@aggTrade',
        { stream: '!serverShutdown', data: { e: 'serverShutdown', E: expect.any(Number) as number } },
      ],
    ] as const) {
      const client = await aClient(url, path);
      await order(url, { stream: 'shutdown', afterSeconds: 0.3 });
      expect((await client.closed).code).toBe(1001);
      const shutdowns = client.messages.filter((text) => text.includes('serverShutdown'));
      expect(shutdowns.map((text) => JSON.parse(text) as unknown)).toEqual([expected]);
    }
  });

  it('waits for a connection that has streams, and is taken back before', async () => {
    const { url } = await playing();
    await order(url, { stream: 'drop', count: 2 });
    await aClient(url, '/ws');
    expect((await logOf(url)).entries).toEqual([]);
    expect(await getJson(url, '/sandbox/faults')).toEqual([{ stream: 'drop', count: 2 }]);
    await fetch(`${url}/sandbox/faults`, { method: 'DELETE' });
    expect(await getJson(url, '/sandbox/faults')).toEqual([]);
  });

  it.each([
    { stream: 'drop', count: 0 },
    { stream: 'close', code: 1011 },
    { stream: 'explode' },
    { rest: 'outage' },
  ])('%j is refused', async (fault) => {
    const { url } = await playing();
    expect(await order(url, fault)).toBe(400);
  });

  it.each(['503', 'drop'] as const)('puts REST out of order for a time, with %s', async (how) => {
    const { url } = await playing();
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    await order(url, { rest: 'outage', seconds: 0.5, how });
    const answer = (): Promise<number> =>
      get(url, '/api/v3/ping').then(
        ({ status }) => status,
        () => 0,
      );
    expect(await answer()).toBe(how === 'drop' ? 0 : 503);
    await client.collect<StreamTrade>(client.messages.length + 5, isTrade);
    const until = Date.now() + 10_000;
    while ((await answer()) !== 200 && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await answer()).toBe(200);
    expect((await logOf(url)).counts).toEqual({ [`outage ${how}`]: 1 });
  });
});

describe('chaos', () => {
  it('injects faults by itself and counts them', async () => {
    const { url } = await playing({ chaos: { seed: '1', faultsPerMinute: 600 } });
    const until = Date.now() + 20_000;
    let log = await logOf(url);
    while (log.entries.length < 6 && Date.now() < until) {
      const client = await aClient(url, '/ws/btcusdt@aggTrade');
      await Promise.race([client.closed, new Promise((resolve) => setTimeout(resolve, 300))]);
      client.socket.terminate();
      log = await logOf(url);
    }
    expect(log.entries.length).toBeGreaterThanOrEqual(6);
    expect(log.entries.every(({ by }) => by === 'chaos')).toBe(true);
    expect(Object.values(log.counts).reduce((sum, count) => sum + count, 0)).toBe(log.entries.length);
  });
});
