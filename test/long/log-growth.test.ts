import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPipeline,
  startCommand,
  startExchange,
  type Pipeline,
  type Running,
  type StandIn,
} from '../support/pipeline.js';
import { startStack, type TestStack } from '../support/stack.js';

// How much the logs of a healthy stack grow at 200 trades a second over five symbols.

const symbols = ['BTCUSDT', 'ETHUSDT', 'BNBUSDT', 'SOLUSDT', 'XRPUSDT'];
const warmUpSeconds = 60;
const seconds = Number(process.env['SECONDS_OF_LOGS'] ?? 300);

let stack: TestStack;
let exchange: StandIn;
let pipeline: Pipeline;
let producer: Running;

beforeAll(async () => {
  stack = await startStack({ name: 'log-growth', portOffset: 17_000 });
  exchange = await startExchange(stack.env, [
    ...['--symbols', symbols.join(','), '--rate', '40', '--history', '1'],
  ]);
  pipeline = await aPipeline('logs', { exchangeUrl: exchange.url, stackEnvironment: stack.env });
  producer = startCommand(pipeline.environment, ['produce', '--symbols', symbols.join(','), '--quiet']);
  await pipeline.submit({ lake_interval_ms: 60_000 }, ['--timeout', '270']);
});

afterAll(async () => {
  await producer.end('SIGINT');
  await pipeline.close();
  await exchange.stop();
  await stack.stop();
});

/** Bytes of each log by its path in the data folder. */
function sizes(): Map<string, number> {
  const folders = ['logs', 'logs/postgres.log', 'spark-worker/work'].map((name) => join(stack.dataDir, name));
  const files = folders
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
    )
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !/\.(jar|py|properties)$/.test(path));
  return new Map(files.map((path) => [relative(stack.dataDir, path), statSync(path).size]));
}

async function countBatches(): Promise<number> {
  const [row] = await pipeline.rows<{ count: number }>('SELECT count(*)::int AS count FROM crypto.batches');
  return row?.count ?? 0;
}

describe('the logs of a healthy stack', () => {
  it('grow by little, and that of the driver by nothing', { timeout: 590_000 }, async () => {
    await sleep(warmUpSeconds * 1000);
    const before = sizes();
    const batchesBefore = await countBatches();
    await sleep(seconds * 1000);
    const after = sizes();
    const batches = (await countBatches()) - batchesBefore;
    const grown = [...after].map(([path, size]) => ({ path, bytes: size - (before.get(path) ?? 0) }));
    const all = grown.reduce((sum, { bytes }) => sum + bytes, 0);
    const perDay = (bytes: number): string => `${((bytes * 86_400) / seconds / 1e6).toFixed(2)} MB a day`;
    for (const { path, bytes } of grown.filter((one) => one.bytes > 0))
      console.log(`${path}: ${bytes} bytes in ${seconds} s, ${perDay(bytes)}`);
    console.log(`${batches} batches; all logs ${perDay(all)}`);

    expect(batches).toBeGreaterThan(seconds / 10);
    const ofDriver = grown.filter(({ path }) => /work\/driver-[^/]+\/std(out|err)$/.test(path));
    expect(ofDriver).toHaveLength(2);
    // An occasional warning, and not a line for each batch.
    expect(ofDriver.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(1000);
    expect((all * 86_400) / seconds).toBeLessThan(100e6);
  });
});
