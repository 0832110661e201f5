import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aBinanceRest } from '../support/a-binance-rest.js';
import { binanceStream } from '../../src/adapters/binance-stream.js';
import { UnreachableError } from '../../src/core/errors.js';
import type { StreamConnection } from '../../src/core/ports/market-stream.js';
import type { RunningSandbox } from '../../src/core/ports/sandbox.js';
import type { Tick } from '../../src/core/tick.js';
import { aGeneratedChoice, aSandbox, stopSandboxes } from '../support/sandbox.js';

// Of so many symbols one trades at any time.
const symbols = ['BTCUSDT', 'ETHUSDT', 'BNBUSDT', 'SOLUSDT'];
const wsUrl = ({ url }: RunningSandbox): string => url.replace('http', 'ws');

describe('the stream of an exchange', () => {
  let sandbox: RunningSandbox;
  const ticks: Tick[] = [];
  const opened: StreamConnection[] = [];

  async function connect(options: { readonly staleMs?: number } = {}): Promise<StreamConnection> {
    const stream = binanceStream({ baseUrl: wsUrl(sandbox), ...options });
    const connection = await stream.connect(
      symbols,
      (tick) => ticks.push(tick),
      new AbortController().signal,
    );
    opened.push(connection);
    return connection;
  }

  async function order(fault: object): Promise<void> {
    const { status } = await fetch(`${sandbox.url}/sandbox/faults`, {
      method: 'POST',
      body: JSON.stringify(fault),
    });
    expect(status).toBe(200);
  }

  beforeEach(async () => {
    ticks.length = 0;
    const tape = aGeneratedChoice({ symbols, ratePerSecond: 100, begin: { historyMinutes: 1 } });
    sandbox = await aSandbox({ tape });
  });
  afterEach(async () => {
    for (const connection of opened.splice(0)) connection.close('the test is over');
    await stopSandboxes();
  });

  it('brings the trades that REST has, in order and without a gap, from the subscription on', async () => {
    const connection = await connect();
    while (ticks.length < 200) await sleep(20);
    connection.close('enough');
    await connection.closed;
    const { symbol, aggTradeId } = ticks[0]!;
    const ours = ticks.filter((tick) => tick.symbol === symbol);
    const exchange = aBinanceRest({ baseUrl: sandbox.url });
    const theirs = await exchange.trades({ symbol, fromId: aggTradeId, limit: 1000 });
    expect(ours).toEqual(theirs.slice(0, ours.length));
    expect(await connection.over).toEqual({ why: 'enough', isClosed: true });
  });

  it.each([1001, 1006, 1008])('ends when the exchange closes it with %i', async (code) => {
    const connection = await connect();
    await order({ stream: 'close', code });
    expect(await connection.over).toEqual({ why: `closed with ${code}`, isClosed: true });
    await connection.closed;
  });

  it('says that the exchange shuts down while it still delivers', async () => {
    const connection = await connect();
    await order({ stream: 'shutdown', afterSeconds: 1 });
    expect(await connection.over).toEqual({ why: 'the exchange shuts down', isClosed: false });
    const before = ticks.length;
    await connection.closed;
    expect(ticks.length).toBeGreaterThan(before);
  });

  it('ends when nothing comes for too long, not even a ping', async () => {
    const connection = await connect({ staleMs: 500 });
    await order({ stream: 'silence', seconds: 20 });
    expect(await connection.over).toEqual({ why: 'silent for 0.5 s', isClosed: true });
  });

  it('names the address where nobody listens, and where no stream is', async () => {
    const nobody = binanceStream({ baseUrl: 'ws://127.0.0.1:1' });
    const signal = new AbortController().signal;
    await expect(nobody.connect(symbols, () => undefined, signal)).rejects.toThrow(UnreachableError);
    const elsewhere = binanceStream({ baseUrl: `${wsUrl(sandbox)}/nowhere` });
    await expect(elsewhere.connect(symbols, () => undefined, signal)).rejects.toThrow(
      /The stream at .*nowhere did not open/,
    );
  });
});
