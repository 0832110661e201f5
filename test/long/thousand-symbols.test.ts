import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp, type App } from '../../src/compose.js';
import { loadConfig } from '../../src/config.js';
import { startCommand, startExchange, type StandIn } from '../support/pipeline.js';
import { readTopic } from '../support/read-topic.js';
import { startStack, type TestStack } from '../support/stack.js';

/** As many as the largest exchanges list, one of them beyond ASCII; 200 trades a second in all. */
const symbols = [...Array.from({ length: 999 }, (_, index) => `S${index}USDT`), '币安人生USDT'];
const ratePerSymbol = '0.2';
/** The start alone takes more than a minute of the request limit; then each is polled once in 40 s. */
const runMs = 200_000;

let stack: TestStack;
let sandbox: StandIn;
const opened: App[] = [];

beforeAll(async () => {
  stack = await startStack({ name: 'thousand-symbols', portOffset: 16_000, only: ['kafka'] });
  sandbox = await startExchange(stack.env, [
    ...['--symbols', symbols.join(','), '--rate', ratePerSymbol, '--history', '1'],
  ]);
});
afterAll(async () => {
  await Promise.all(opened.map((app) => app.close()));
  await sandbox.stop();
  await stack.stop();
});

it.each(['stream', 'poll'])('reach Kafka by the feed %s, each without a missing id', async (feed) => {
  const environment = { ...stack.env, CRYPTO_API_URL: sandbox.url, KAFKA_TOPIC: `thousand_${feed}` };
  const config = loadConfig({}, environment, '/nonexistent/.env');
  const app = createApp(config);
  opened.push(app);
  await app.topics.ensure();
  const producer = startCommand(environment, [
    ...['produce', '--feed', feed, '--symbols', symbols.join(','), '--ignore-cursor'],
  ]);
  await Promise.race([sleep(runMs), producer.ended]);
  expect(await producer.end('SIGINT')).toBe(0);

  const ids = new Map<string, number[]>();
  const messages = await readTopic({ brokers: config.kafka.brokers, topics: app.topics }, config.kafka.topic);
  for (const { key, value } of messages) {
    const { aggTradeId } = JSON.parse(value) as { aggTradeId: number };
    ids.set(key, [...(ids.get(key) ?? []), aggTradeId]);
  }
  console.log(`${feed}: ${messages.length} trades of ${ids.size} symbols in ${runMs / 1000} s`);
  expect([...ids.keys()].sort()).toEqual([...symbols].sort());
  for (const [symbol, found] of ids)
    expect([symbol, found]).toEqual([symbol, found.map((_, index) => found[0]! + index)]);
  // At least a minute's trades of each: 12 on average.
  expect(messages.length).toBeGreaterThan(symbols.length * 12);
});
