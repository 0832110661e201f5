import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import type { RunningSandbox, SandboxOptions } from '../../src/core/ports/sandbox.js';
import { createHttpClient } from '../../src/http/http-client.js';
import { aPlayedTape, removePlayedTapes } from '../support/played-tape.js';
import { aSandbox, BEGIN, get, getJson, stopSandboxes, type TradeRow } from '../support/sandbox.js';
import { aClient, closeClients, type StreamTrade } from '../support/stream-client.js';

afterEach(async () => {
  closeClients();
  await stopSandboxes();
  await removePlayedTapes();
});

interface FaultLog {
  readonly counts: Record<string, number>;
  readonly entries: readonly {
    readonly met?: Readonly<Record<string, number>>;
    readonly trades?: readonly { readonly id: number }[];
  }[];
}

const playing = async (overrides: Partial<SandboxOptions> = {}): Promise<RunningSandbox> =>
  aSandbox({ tape: await aPlayedTape('BTCUSDT'), ...overrides });
const order = async (url: string, fault: Record<string, unknown>): Promise<void> => {
  const { status, text } = await post(url, fault);
  if (status !== 200) throw new Error(`the fault was refused: ${text}`);
};
const post = async (
  url: string,
  fault: Record<string, unknown>,
): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`${url}/sandbox/faults`, {
    ...{ method: 'POST', body: JSON.stringify(fault), headers: { connection: 'close' } },
  });
  return { status: answer.status, text: await answer.text() };
};
const takeBack = (url: string): Promise<Response> => fetch(`${url}/sandbox/faults`, { method: 'DELETE' });
const logOf = (url: string): Promise<FaultLog> => getJson(url, '/sandbox/faults/log');
const isTrade = ({ e }: StreamTrade): boolean => e === 'aggTrade';
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How a connect to a stream ends: the status that refuses it, or an error's code or message. */
const connectResult = (url: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/btcusdt@aggTrade`);
    socket.on('open', () => {
      socket.terminate();
      resolve('open');
    });
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(String(response.statusCode));
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });

const trades = '/api/v3/aggTrades?symbol=BTCUSDT&fromId=0&limit=10';

/** What the client of all adapters makes of an answer, with their size limit. */
const called = (url: string): Promise<string> =>
  createHttpClient({})
    .call({
      ...{ system: 'The exchange', url, timeoutMs: 20_000, maxBytes: 64 * 1024 * 1024, nextStep: '' },
    })
    .then(({ text }) => text);

describe('a wrong body', () => {
  it('is a web page, half of the JSON or nothing, with status 200, so often as ordered', async () => {
    const { url } = await aSandbox();
    const right = (await get(url, trades)).text;
    await order(url, { body: 'html', count: 2 });
    await order(url, { body: 'half' });
    await order(url, { body: 'empty', path: '/api/v3/aggTrades' });
    const answers = [await get(url, trades), await get(url, trades), await get(url, trades)];
    expect((await get(url, '/api/v3/ping')).text).toBe('{}');
    answers.push(await get(url, trades));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const page = expect.stringContaining('<title>Just a moment...</title>') as string;
    const half = right.slice(0, Math.ceil(right.length / 2));
    expect(answers.map(({ text }) => text)).toEqual([page, page, half, '']);
    expect(answers[0]!.headers['content-type']).toBe('text/html');
    expect((await get(url, trades)).text).toBe(right);
    expect((await logOf(url)).counts).toEqual({ 'body html': 2, 'body half': 1, 'body empty': 1 });
  });

  it('of 128 MiB after decompression is given up by the client at its limit', async () => {
    const { url } = await aSandbox();
    await order(url, { body: 'huge', count: 2 });
    const raw = await fetch(`${url}${trades}`, { headers: { 'accept-encoding': 'identity' } });
    expect(Number(raw.headers.get('content-length'))).toBeLessThan(300_000);
    expect((await raw.arrayBuffer()).byteLength).toBe(128 * 1024 * 1024);
    await expect(called(`${url}${trades}`)).rejects.toThrow('it is longer than 67108864 bytes');
    expect(await called(`${url}/api/v3/ping`)).toBe('{}');
  });

  it('has a trade whose price cannot be read, in answers with trades alone', async () => {
    const { url } = await aSandbox();
    const right = await getJson<TradeRow[]>(url, trades);
    await order(url, { body: 'unreadable' });
    expect(await getJson(url, '/api/v3/ping')).toEqual({});
    const [first, ...rest] = await getJson<TradeRow[]>(url, trades);
    expect(first).toEqual({ ...right[0], p: '1e-8' });
    expect(rest).toEqual(right.slice(1));
    expect(await getJson(url, trades)).toEqual(right);
  });
});

describe('a ban', () => {
  it('has its time in the text alone where the header is left out', async () => {
    const { url } = await aSandbox();
    const before = Date.now();
    await order(url, { status: 418, retryAfterSeconds: 1200, header: false });
    const { status, headers, text } = await get(url, trades);
    expect([status, headers['retry-after']]).toEqual([418, undefined]);
    const { code, msg } = JSON.parse(text) as { code: number; msg: string };
    expect(code).toBe(-1003);
    const until = Number(/IP banned until (\d{13})\b/.exec(msg)?.[1]);
    expect(until).toBeGreaterThanOrEqual(before + 1_200_000);
    expect(until).toBeLessThan(before + 1_230_000);
    await order(url, { status: 418, retryAfterSeconds: 60 });
    expect((await get(url, trades)).headers['retry-after']).toBe('60');
  });
});

describe('an outage of REST', () => {
  const answered = (url: string): Promise<string> =>
    get(url, '/api/v3/ping').then(
      ({ status, headers, text }) =>
        `${status} ${String(headers['retry-after'])} ${text.replace(/\s+/g, ' ').slice(0, 45)}`,
      () => 'no answer',
    );

  it.each([
    ['403', '403 undefined <html><body><h1>403 Forbidden</h1></body></ht'],
    ['ban', '418 undefined {"code":-1003,"msg":"Way too much request wei'],
    ['html', '200 undefined <!DOCTYPE html> <html><head><title>Just a mom'],
    ['half', '200 undefined {'],
    ['empty', '200 undefined '],
    ['drop', 'no answer'],
  ])('with %s lasts its time, and its requests are counted', async (how, expected) => {
    const { url } = await playing();
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    await order(url, { rest: 'outage', seconds: 20, how });
    expect([await answered(url), await answered(url)]).toEqual([expected, expected]);
    expect(await getJson(url, '/sandbox/faults')).toEqual([{ rest: 'outage', seconds: 20, how }]);
    await client.collect<StreamTrade>(client.messages.length + 5, isTrade);
    expect((await logOf(url)).entries).toMatchObject([{ met: { '/api/v3/ping': 2 } }]);
    await takeBack(url);
    expect(await answered(url)).toBe('200 undefined {}');
    await order(url, { rest: 'outage', seconds: 0.3, how });
    await expect.poll(() => answered(url), { timeout: 10_000 }).toBe('200 undefined {}');
    expect((await logOf(url)).counts).toEqual({ [`outage ${how}`]: 2 });
  });

  it('with a ban says until when, in the text', async () => {
    const { url } = await aSandbox();
    const before = Date.now();
    await order(url, { rest: 'outage', seconds: 180, how: 'ban' });
    const { text } = await get(url, '/api/v3/ping');
    const until = Number(/until (\d{13})\b/.exec(text)?.[1]);
    expect(Math.abs(until - before - 180_000)).toBeLessThan(10_000);
  });
});

describe('an outage of the streams', () => {
  it.each([
    ['drop', 'socket hang up|ECONNRESET'],
    ['403', '403'],
    ['503', '503'],
  ])('cuts what is connected and refuses connects with %s, while REST answers', async (how, refused) => {
    const { url } = await playing();
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    await order(url, { stream: 'outage', seconds: 20, how });
    expect((await client.closed).code).toBe(1006);
    expect(await connectResult(url)).toMatch(new RegExp(`^(${refused})$`));
    expect((await get(url, '/api/v3/ping')).status).toBe(200);
    const { counts, entries } = await logOf(url);
    expect(counts).toEqual({ [`stream outage ${how}`]: 1 });
    expect(entries).toMatchObject([{ met: { '/ws/btcusdt@aggTrade': 1 } }]);
    await takeBack(url);
    await order(url, { stream: 'outage', seconds: 0.3, how });
    await expect.poll(() => connectResult(url), { timeout: 10_000 }).toBe('open');
  });
});

describe('an outage of the whole exchange', () => {
  const tcp = (url: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
        socket.destroy();
        resolve('connected');
      });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });

  it('refuses every connection for its time, and comes back at the same address', async () => {
    const { url } = await playing();
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    const [first] = await client.collect<StreamTrade>(1, isTrade);
    await order(url, { exchange: 'outage', seconds: 1.5 });
    expect((await client.closed).code).toBe(1006);
    expect(await tcp(url)).toBe('ECONNREFUSED');
    expect(await connectResult(url)).toBe('ECONNREFUSED');
    await expect.poll(() => tcp(url), { timeout: 10_000 }).toBe('connected');
    const again = await aClient(url, '/ws/btcusdt@aggTrade');
    const [later] = await again.collect<StreamTrade>(1, isTrade);
    expect(later!.a).toBeGreaterThan(first!.a + 50);
    expect((await logOf(url)).counts).toEqual({ 'exchange outage': 1 });
  });

  it('ends with the sandbox', async () => {
    const running = await aSandbox();
    await order(running.url, { exchange: 'outage', seconds: 1 });
    await sleep(200);
    await running.close();
    await sleep(1_200);
    expect(await tcp(running.url)).toBe('ECONNREFUSED');
  });
});

describe('the status of a symbol', () => {
  interface Info {
    readonly symbols: readonly { readonly symbol: string; readonly status: string }[];
  }
  const statuses = async (url: string): Promise<unknown> =>
    (await getJson<Info>(url, '/api/v3/exchangeInfo')).symbols.map(({ symbol, status }) => [symbol, status]);
  const two = (): Promise<RunningSandbox> =>
    aSandbox({
      tape: {
        ...{ kind: 'generated', symbols: ['BTCUSDT', 'ETHUSDT'], seed: '1', ratePerSecond: 50 },
        begin: { time: BEGIN },
      },
    });

  it.each(['HALT', 'BREAK'])('is %s for its time, of one symbol', async (status) => {
    const { url } = await two();
    await order(url, { symbol: 'ETHUSDT', status, seconds: 20 });
    expect(await statuses(url)).toEqual([
      ['BTCUSDT', 'TRADING'],
      ['ETHUSDT', status],
    ]);
    await takeBack(url);
    await order(url, { symbol: 'ETHUSDT', status, seconds: 0.2 });
    const trading = [
      ['BTCUSDT', 'TRADING'],
      ['ETHUSDT', 'TRADING'],
    ];
    await expect.poll(() => statuses(url), { timeout: 10_000 }).toEqual(trading);
  });

  it('REMOVED makes it unknown to every path and silent on the stream', async () => {
    const { url } = await two();
    const client = await aClient(url, '/stream?streams=btcusdt@aggTrade/ethusdt@aggTrade');
    await order(url, { symbol: 'ETHUSDT', status: 'REMOVED', seconds: 60 });
    expect(await statuses(url)).toEqual([['BTCUSDT', 'TRADING']]);
    const prices = await getJson<{ symbol: string }[]>(url, '/api/v3/ticker/price');
    expect(prices.map(({ symbol }) => symbol)).toEqual(['BTCUSDT']);
    for (const path of ['exchangeInfo?', 'ticker/price?', 'aggTrades?', 'klines?interval=1m&'])
      expect(await getJson(url, `/api/v3/${path}symbol=ETHUSDT`)).toEqual({
        code: -1121,
        msg: 'Invalid symbol.',
      });
    const from = client.messages.length;
    await client.collect(from + 20, () => true);
    expect(client.messages.slice(from).filter((text) => text.includes('ETHUSDT'))).toEqual([]);
    await takeBack(url);
    await client.collect<{ data: StreamTrade }>(1, ({ data }) => data.s === 'ETHUSDT');
  });
});

describe('a message that no trade is', () => {
  it('has a price that cannot be read', async () => {
    const { url } = await playing();
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    await order(url, { stream: 'unreadable', count: 2 });
    const found = await client.collect<StreamTrade>(2, ({ p }) => p === '1e-8');
    expect((await logOf(url)).entries[0]!.trades!.map(({ id }) => id)).toEqual(found.map(({ a }) => a));
    await client.collect<StreamTrade>(client.messages.length + 20, isTrade);
    expect(client.messages.filter((text) => text.includes('1e-8'))).toHaveLength(2);
  });

  it('has an id near 2^53, after the trade that it was made of', async () => {
    const { url } = await playing();
    const client = await aClient(url, '/ws/btcusdt@aggTrade');
    await order(url, { stream: 'far-id' });
    const [far] = await client.collect<StreamTrade>(1, ({ a }) => a > 2 ** 52);
    expect(far!.a).toBe(9_007_199_254_740_985);
    const [met] = (await logOf(url)).entries[0]!.trades!;
    const ids = client.messages.map((text) => (JSON.parse(text) as StreamTrade).a);
    expect(ids[ids.indexOf(far!.a) - 1]).toBe(met!.id);
  });
});

describe('an order that cannot be kept', () => {
  it.each([
    { body: 'pdf' },
    { body: 'unreadable', path: '/api/v3/klines' },
    { rest: 'outage', seconds: 1, how: 'explode' },
    { stream: 'outage' },
    { stream: 'outage', seconds: 1, how: 'html' },
    { exchange: 'outage' },
    { symbol: 'BTCUSDT', status: 'SLEEPING', seconds: 1 },
    { symbol: 'BTCUSDT', status: 'HALT' },
    { stream: 'far-id', count: 0 },
  ])('%j is refused', async (fault) => {
    const { url } = await aSandbox();
    expect((await post(url, fault)).status).toBe(400);
    expect(await getJson(url, '/sandbox/faults')).toEqual([]);
  });
});
