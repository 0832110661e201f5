import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/compose.js';
import { startCommand, startExchange, type Running, type StandIn } from '../support/pipeline.js';
import { readTopic } from '../support/read-topic.js';
import { startStack, type TestStack } from '../support/stack.js';

const symbols = ['BTCUSDT', 'ETHUSDT', 'BNBUSDT', 'SOLUSDT', 'XRPUSDT'];
const stoppedMs = 60_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The most memory that a process has had so far, MB. */
const peakOf = ({ pid }: Running): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

describe('a Kafka that stands still for a minute', () => {
  let stack: TestStack;
  let sandbox: StandIn;

  beforeAll(async () => {
    stack = await startStack({ name: 'kafka-stop', portOffset: 16_000, only: ['kafka'] });
    await createApp(stack.config).topics.ensure();
    // A thousand trades a second: in a minute more than the queue holds at most.
    sandbox = await startExchange(stack.env, [
      '--symbols',
      symbols.join(','),
      '--rate',
      '200',
      '--history',
      '1',
    ]);
  });
  afterAll(async () => {
    await sandbox.stop();
    await stack.stop();
  });

  it('costs the producer little memory and no trade', async () => {
    const app = createApp(stack.config);
    const args = [
      '--feed',
      'stream',
      '--symbols',
      symbols.join(','),
      '--exchange',
      sandbox.url,
      '--from',
      '0',
    ];
    const producer = startCommand(stack.env, ['produce', ...args]);
    await sleep(20_000);
    const before = peakOf(producer);
    const kafka = (await app.stack.status()).find(({ name }) => name === 'kafka')?.pid;
    if (kafka === undefined) throw new Error('Kafka has no process');
    process.kill(kafka, 'SIGSTOP');
    try {
      await sleep(stoppedMs);
    } finally {
      process.kill(kafka, 'SIGCONT');
    }
    await sleep(60_000);
    const peak = peakOf(producer);
    expect(await producer.end('SIGINT')).toBe(0);
    const messages = await readTopic(
      { brokers: stack.config.kafka.brokers, topics: app.topics },
      stack.config.kafka.topic,
    );
    await app.close();
    const missing = symbols.map((symbol) => {
      const ids = messages
        .filter(({ key }) => key === symbol)
        .map(({ value }) => (JSON.parse(value) as { aggTradeId: number }).aggTradeId);
      const [first, last] = [Math.min(...ids.slice(0, 1)), ids.reduce((most, id) => Math.max(most, id), 0)];
      return {
        symbol,
        missing: last - first + 1 - new Set(ids).size,
        outOfOrder: ids.some((id, index) => index > 0 && id < (ids[index - 1] ?? 0)),
      };
    });
    const whys = new Set(producer.lines.filter(({ type }) => type === 'gap').map(({ why }) => String(why)));
    console.log(
      `${messages.length} messages; peak ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB with a Kafka stopped for ${stoppedMs / 1000} s; gaps: ${[...whys].join(', ')}`,
    );
    expect(missing).toEqual(symbols.map((symbol) => ({ symbol, missing: 0, outOfOrder: false })));
    expect(peak).toBeLessThan(400);
  });
});
