import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { stoppedAt, type Clock } from '../../src/sandbox/clock.js';
import { FaultLog } from '../../src/sandbox/fault-log.js';
import { Faults } from '../../src/sandbox/faults.js';
import { usualTimes, type StreamTimes } from '../../src/sandbox/stream/connection.js';
import { StreamServer } from '../../src/sandbox/stream/stream-server.js';
import { GeneratedTape } from '../../src/sandbox/tapes/generated.js';
import { aClient, closeClients, type StreamTrade } from '../support/stream-client.js';

const BEGIN = Date.UTC(2024, 0, 1, 12);
const servers: { server: Server; streams: StreamServer }[] = [];

afterEach(() => {
  closeClients();
  for (const { server, streams } of servers.splice(0)) {
    streams.close();
    streams.terminate();
    server.close();
  }
});

/** The streams alone, with times of one's own and a clock that may stand. */
async function serve(
  times: Partial<StreamTimes>,
  { clock = stoppedAt(BEGIN), hasRequestLimit = true }: { clock?: Clock; hasRequestLimit?: boolean } = {},
): Promise<string> {
  const tape = new GeneratedTape({ symbol: 'BTCUSDT', seed: '1', ratePerSecond: 100, begin: BEGIN });
  const streams = new StreamServer(
    { tape: new Map([['BTCUSDT', tape]]), klines: new Map(), clock },
    { times: { ...usualTimes, ...times }, hasRequestLimit, faults: new Faults(), log: new FaultLog() },
  );
  const server = createServer();
  server.on('upgrade', (request, socket, head) => streams.upgrade(request, socket, head));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  servers.push({ server, streams });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const statusOf = (url: string): Promise<number> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url.replace('http', 'ws'));
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => undefined);
  });

describe('a stream connection', () => {
  it('is pinged with a payload and lives while it is answered', async () => {
    const client = await aClient(await serve({ pingEveryMs: 250, pongWithinMs: 5_000 }), '/ws');
    // Pings come four times a second, since a client's pongs count among its five messages.
    const until = Date.now() + 10_000;
    while (client.pings.length < 3 && Date.now() < until) await new Promise((done) => setTimeout(done, 5));
    expect(client.pings.length).toBeGreaterThanOrEqual(3);
    for (const payload of client.pings) expect(payload).toMatch(/^\d{13}$/);
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('is cut when pings stay without their pong, whatever the client sends of itself', async () => {
    const client = await aClient(await serve({ pingEveryMs: 200, pongWithinMs: 400 }), '/ws', false);
    client.socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}');
    const unsolicited = setInterval(() => client.socket.pong('still here'), 250);
    void client.closed.then(() => clearInterval(unsolicited));
    expect((await client.closed).code).toBe(1006);
    expect(client.pings.length).toBeGreaterThanOrEqual(2);
  });

  it('ends with its lifetime', async () => {
    const client = await aClient(await serve({ lifetimeMs: 100 }), '/ws/btcusdt@aggTrade');
    expect(await client.closed).toEqual({ code: 1001, reason: 'Going away' });
  });

  it('counts pings among the five messages of a second', async () => {
    const client = await aClient(await serve({}), '/ws');
    for (let count = 0; count < 6; count += 1) client.socket.ping();
    expect(await client.closed).toEqual({ code: 1008, reason: 'Too many requests' });
  });

  it('gets a trade when the clock reaches its time, and none of before', async () => {
    let now = BEGIN + 5_000;
    const client = await aClient(await serve({}, { clock: { now: () => now } }), '/ws/btcusdt@aggTrade');
    await new Promise((done) => setTimeout(done, 100));
    expect(client.messages).toEqual([]);
    now += 1_000;
    const trades = await client.collect<StreamTrade>(50, () => true);
    expect(trades.every(({ T, E }) => T > BEGIN + 5_000 && T <= now && E === now)).toBe(true);
  });

  it('is one of at most 300 opened in five minutes, where that limit is not lifted', async () => {
    const [limited, lifted] = [await serve({}), await serve({}, { hasRequestLimit: false })];
    const statuses: number[] = [];
    for (let count = 0; count < 302; count += 1) statuses.push(await statusOf(`${limited}/ws`));
    expect(statuses.filter((status) => status === 101)).toHaveLength(300);
    expect(statuses.slice(-2)).toEqual([429, 429]);
    for (let count = 0; count < 301; count += 1) expect(await statusOf(`${lifted}/ws`)).toBe(101);
  });

  it('is refused with 404 where the address is no stream', async () => {
    expect(await statusOf(`${await serve({})}/streams`)).toBe(404);
  });
});
