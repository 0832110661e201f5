import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kafkaSink } from '../../src/adapters/kafka-sink.js';
import { createApp } from '../../src/compose.js';
import type { StatusReport } from '../../src/core/report.js';
import { cryptopipe, startExchange, type StandIn } from '../support/pipeline.js';
import { startStack, type TestStack } from '../support/stack.js';

const symbols = Array.from({ length: 100 }, (_, index) => `S${index}USDT`);
const writes = 10_000;
const mb = 1024 * 1024;

describe('the cursor topic after a million cursors', () => {
  let stack: TestStack;
  let exchange: StandIn;

  beforeAll(async () => {
    stack = await startStack({ name: 'cursor-topic', portOffset: 14_400, only: ['kafka', 'postgres'] });
    exchange = await startExchange(stack.env, ['--symbols', 'BTCUSDT', '--history', '1']);
  });
  afterAll(async () => {
    await exchange.stop();
    await stack.stop();
  });

  const sizeOf = (): number => {
    const folder = join(stack.dataDir, 'kafka', 'data', 'cryptopipe_cursors-0');
    const logs = readdirSync(folder).filter((name) => name.endsWith('.log'));
    return logs.reduce((total, name) => total + statSync(join(folder, name)).size, 0);
  };

  it('is a few megabytes and is read in less than two seconds', async () => {
    const app = createApp(stack.config);
    await app.topics.ensure();
    await app.schema.migrate();
    const sink = kafkaSink(stack.config.kafka);
    for (let id = 1; id <= writes; id++)
      await sink.writeCursors(
        symbols.map((symbol) => ({
          ...{ source: 'test', symbol, feed: 'stream', aggTradeId: id, eventTime: id, writtenAt: id },
        })),
      );
    await sink.close();
    const written = sizeOf();
    // Kafka's cleaner looks every 15 seconds.
    await expect.poll(sizeOf, { timeout: 180_000, interval: 1000 }).toBeLessThan(3 * mb);
    const startedAt = Date.now();
    const { cursors } = await app.topics.produced();
    const readMs = Date.now() - startedAt;
    console.log(
      `${writes * symbols.length} cursors: ${(written / mb).toFixed(1)} MB when the last was written, ${(sizeOf() / mb).toFixed(1)} MB compacted, read in ${readMs} ms`,
    );
    expect(cursors.map(({ aggTradeId }) => aggTradeId)).toEqual(symbols.map(() => writes));
    expect(readMs).toBeLessThan(2000);
    await app.close();
  });

  /** Spark and HDFS do not run; what `status` says of them does not matter here. */
  it('is shown by `status` in less than two seconds', async () => {
    const environment = { ...stack.env, CRYPTO_API_URL: exchange.url };
    const times: number[] = [];
    for (let call = 1; call <= 3; call++) {
      const startedAt = Date.now();
      const { stdout } = await cryptopipe(environment, ['status', '--json'], 60_000);
      times.push(Date.now() - startedAt);
      const { parts } = JSON.parse(stdout) as StatusReport;
      const facts = parts.find(({ name }) => name === 'producers')?.facts as { feeds: unknown[] };
      expect(facts.feeds).toHaveLength(symbols.length);
    }
    console.log(`status, process start included: ${times.join(', ')} ms`);
    expect(Math.min(...times)).toBeLessThan(2000);
  });
});
