import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { archiveTrades } from '../../src/adapters/archive-trades.js';
import { binanceRest } from '../../src/adapters/binance-rest.js';
import { binanceStream } from '../../src/adapters/binance-stream.js';
import { WeightBudget } from '../../src/adapters/binance-weight.js';
import { systemClock } from '../../src/adapters/system-clock.js';
import { Outages } from '../../src/core/outages.js';
import type { Tick } from '../../src/core/tick.js';
import { createHttpClient, type HttpClient } from '../../src/http/http-client.js';
import { fetchJars, jarPath } from '../../src/stack/install/maven.js';
import { forwardProxy, type ForwardProxy } from '../support/forward-proxy.js';
import { aGeneratedChoice, aSandbox, BEGIN, stopSandboxes } from '../support/sandbox.js';

/** A name that no resolver knows, so that a call which goes past the proxy fails. */
const host = 'exchange.invalid';
let proxy: ForwardProxy;
let client: HttpClient;
let url: string;

beforeEach(async () => {
  const sandbox = await aSandbox({
    allowedHosts: [host],
    tape: aGeneratedChoice({ ratePerSecond: 50 }),
  });
  const port = Number(new URL(sandbox.url).port);
  proxy = await forwardProxy({ names: { [host]: port }, login: 'alice:test' });
  client = createHttpClient({ HTTP_PROXY: `http://alice:test@127.0.0.1:${proxy.port}` });
  url = `http://${host}:${port}`;
});
afterEach(async () => {
  await proxy.close();
  await stopSandboxes();
});

it('takes the calls of REST', async () => {
  const rest = binanceRest({
    ...{ baseUrl: url, client, clock: systemClock, outages: new Outages(), giveUpAfterMs: 0 },
    budget: new WeightBudget(systemClock, () => undefined),
  });
  expect(await rest.serverTime()).toBeGreaterThanOrEqual(BEGIN);
  expect(proxy.requests).toEqual([`GET ${url}/api/v3/time`]);
});

it('takes the stream, as a tunnel', async () => {
  const stream = binanceStream({ baseUrl: url.replace('http:', 'ws:'), http: client });
  const ticks: Tick[] = [];
  const connection = await stream.connect(
    ['BTCUSDT'],
    (tick) => ticks.push(tick),
    AbortSignal.timeout(20_000),
  );
  try {
    await expect.poll(() => ticks.length, { timeout: 20_000 }).toBeGreaterThan(3);
    expect(ticks[0]?.symbol).toBe('BTCUSDT');
    expect(proxy.requests).toEqual([`CONNECT ${new URL(url).host}`]);
  } finally {
    connection.close('the test is over');
  }
});

it('takes the downloads of the archive', async () => {
  const archive = archiveTrades({ url, http: client });
  expect(await archive.openDay('BTCUSDT', Date.UTC(1999, 0, 1))).toBeUndefined();
  expect(proxy.requests).toEqual([
    `GET ${url}/data/spot/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-1999-01-01.zip`,
  ]);
});

it('takes the downloads of jars', async () => {
  const content = Buffer.from('a jar');
  const server = createServer((_request, response) => response.end(content));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const inner = await forwardProxy({ names: { 'maven.invalid': port } });
  const cacheDir = mkdtempSync(join(tmpdir(), 'cryptopipe-jars-'));
  try {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const jar = { path: 'a/b/1/b-1.jar', size: content.length, sha256 };
    await fetchJars([jar], {
      ...{ mavenUrl: `http://maven.invalid:${port}`, cacheDir, say: () => undefined },
      signal: AbortSignal.timeout(20_000),
      http: createHttpClient({ HTTP_PROXY: inner.url }),
    });
    expect(await readFile(jarPath(cacheDir, jar), 'utf8')).toBe('a jar');
    expect(inner.requests).toEqual([`GET http://maven.invalid:${port}/a/b/1/b-1.jar`]);
  } finally {
    await inner.close();
    server.close();
    rmSync(cacheDir, { recursive: true });
  }
});
