import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { kafkaSink } from '../../src/adapters/kafka-sink.js';
import { kafkaTopics } from '../../src/adapters/kafka-topics.js';
import { UnreachableError } from '../../src/core/errors.js';
import type { ProducerHeartbeat } from '../../src/core/producer-heartbeat.js';
import type { Topics } from '../../src/core/ports/topic.js';
import { tickMessage } from '../../src/core/tick-message.js';
import { readTopic, type Message } from '../support/read-topic.js';
import { exchangeOf, standIn, type StandIn } from '../support/rest-stand-in.js';
import { startStack, type TestStack } from '../support/stack.js';
import { aTick, ticksFrom } from '../support/ticks.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const cursorTopic = 'cryptopipe_cursors';
const newest = 59_999;

let stack: TestStack;
let exchange: StandIn;
const cleanups: (() => Promise<void>)[] = [];
const opened: { close(): Promise<void> }[] = [];

const options = (topic: string) => ({
  brokers: stack.config.kafka.brokers,
  clientId: 'test',
  topic,
  cursorTopic,
});

function topicsOf(topic: string): Topics {
  const topics = kafkaTopics(options(topic));
  opened.push(topics);
  return topics;
}

beforeAll(async () => {
  await promisify(execFile)('npm', ['run', '-s', 'build']);
  stack = await startStack({ name: 'produce', portOffset: 12_000, only: ['kafka'] });
  cleanups.push(() => stack.stop());
  exchange = await standIn(exchangeOf(['BTCUSDT', 'ETHUSDT'], () => newest));
  cleanups.push(() => exchange.close());
});

afterAll(async () => {
  for (const one of opened) await one.close();
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const readAll = (topic: string): Promise<Message[]> =>
  readTopic({ brokers: stack.config.kafka.brokers, topics: topicsOf(topic) }, topic);

const idsOf = (messages: readonly Message[], symbol: string): number[] =>
  messages
    .filter(({ key }) => key === symbol)
    .map(({ value }) => (JSON.parse(value) as { aggTradeId: number }).aggTradeId);

const ids = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

function start(topic: string, args: readonly string[]) {
  const child = spawn(process.execPath, [program, 'produce', '--exchange', exchange.url, ...args], {
    env: { ...stack.env, KAFKA_TOPIC: topic },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.err += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, output, ended };
}

async function cursorIdOf(topics: Topics, symbol: string): Promise<number | undefined> {
  return (await topics.produced()).cursors.find((cursor) => cursor.symbol === symbol)?.aggTradeId;
}

describe('the topics', () => {
  it('are made once, and left as they are afterwards', async () => {
    const topics = topicsOf('made_once');
    const [first, second] = [await topics.ensure(), await topics.ensure()];
    expect(first[0]).toBe(
      'made_once: made, 4 partitions, cleanup.policy=delete, message.timestamp.type=LogAppendTime, ' +
        'retention.ms=604800000, max.message.bytes=1048576',
    );
    expect(second).toEqual(['made_once: is there', 'cryptopipe_cursors: is there']);
    expect(await topics.offsets('made_once')).toEqual(
      [0, 1, 2, 3].map((partition) => ({ partition, earliest: 0n, latest: 0n })),
    );
  });

  it('are left as they are where they differ, and the difference is said', async () => {
    const kafka = new kafkajs.Kafka({
      brokers: [...stack.config.kafka.brokers],
      logLevel: kafkajs.logLevel.NOTHING,
    });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      topics: [{ topic: 'odd', numPartitions: 1, configEntries: [{ name: 'retention.ms', value: '1000' }] }],
    });
    await admin.disconnect();
    expect((await topicsOf('odd').ensure())[0]).toBe(
      'odd: is there and is left as it is, but it has 1 partition, not 4; message.timestamp.type is CreateTime, not ' +
        'LogAppendTime; retention.ms is 1000, not 604800000; max.message.bytes is 1048588, not 1048576',
    );
  });

  it('alters a cursor topic that is not compacted while it runs, and keeps its other settings', async () => {
    const kafka = new kafkajs.Kafka({
      brokers: [...stack.config.kafka.brokers],
      logLevel: kafkajs.logLevel.NOTHING,
    });
    const admin = kafka.admin();
    await admin.connect();
    const old = {
      'cleanup.policy': 'compact',
      'message.timestamp.type': 'LogAppendTime',
      'flush.ms': '60000',
    };
    const configEntries = Object.entries(old).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [{ topic: 'old_cursors', numPartitions: 1, configEntries }] });
    const topics = kafkaTopics({ ...options('made_once'), cursorTopic: 'old_cursors' });
    opened.push(topics);
    await topics.ensure();
    const settingsOf = async (): Promise<Record<string, string>> => {
      const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: 'old_cursors' }];
      const found = await admin.describeConfigs({ includeSynonyms: false, resources });
      const entries = found.resources[0]?.configEntries ?? [];
      return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
    };
    expect(await settingsOf()).toMatchObject({
      ...old,
      'segment.ms': '300000',
      'segment.bytes': '1048576',
      'min.cleanable.dirty.ratio': '0.01',
    });
    expect((await topics.ensure())[1]).toBe('old_cursors: is there');
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: 'old_cursors', configEntries }],
    });
    expect((await topics.ensure({ isDryRun: true }))[1]).toContain(
      'old_cursors: is there and would be altered, since segment.ms is 604800000, not 300000; segment.bytes is 1073741824, not',
    );
    expect(await settingsOf()).toMatchObject({ 'segment.ms': '604800000' });
    await admin.disconnect();
  });

  it('are read no further when the reader gives up', async () => {
    const stop = new AbortController();
    const topics = topicsOf('made_once');
    const sink = kafkaSink(options('made_once'));
    opened.push(sink);
    const cursor = { source: 'stop', symbol: 'AAA', feed: 'poll', aggTradeId: 1, eventTime: 2, writtenAt: 3 };
    await sink.writeCursors([cursor]);
    const reading = topics.produced(stop.signal);
    setTimeout(() => stop.abort(new Error('the deadline')), 30);
    await expect(reading).rejects.toThrow('the deadline');
    expect((await topics.produced()).cursors).toContainEqual(cursor);
  });

  it('are named with the command that makes them where they are missing', async () => {
    const sink = kafkaSink(options('missing'));
    opened.push(sink);
    const refused = { exitCode: 3, nextStep: 'Make the topics with `cryptopipe init`.' };
    await expect(sink.open()).rejects.toMatchObject(refused);
    await expect(topicsOf('missing').offsets('missing')).rejects.toMatchObject(refused);
  });
});

describe('the sink', () => {
  it('keeps the order of a symbol, in one partition, and every field', async () => {
    await topicsOf('order').ensure();
    const sink = kafkaSink(options('order'));
    opened.push(sink);
    const batches = [ticksFrom(0, 1499), ticksFrom(0, 9, 'ETHUSDT'), ticksFrom(1500, 3000)];
    await Promise.all(batches.map((batch) => sink.send(batch)));
    const messages = await readAll('order');
    expect(idsOf(messages, 'BTCUSDT')).toEqual(ids(0, 3000));
    expect(
      new Set(messages.filter(({ key }) => key === 'BTCUSDT').map(({ partition }) => partition)).size,
    ).toBe(1);
    expect(messages.find(({ key }) => key === 'ETHUSDT')?.value).toBe(
      tickMessage(aTick({ aggTradeId: 0, symbol: 'ETHUSDT' })),
    );
  });

  it('gives back the newest cursor of each key, and leaves no consumer group', async () => {
    const topics = topicsOf('order');
    const sink = kafkaSink(options('order'));
    opened.push(sink);
    const cursor = { source: 'test', symbol: 'AAA', feed: 'poll', aggTradeId: 1, eventTime: 2, writtenAt: 3 };
    await sink.writeCursors([cursor, { ...cursor, symbol: 'BBB' }]);
    await sink.writeCursors([{ ...cursor, aggTradeId: 9, writtenAt: 10 }]);
    const kafka = new kafkajs.Kafka({
      brokers: [...stack.config.kafka.brokers],
      logLevel: kafkajs.logLevel.NOTHING,
    });
    const admin = kafka.admin();
    await admin.connect();
    const groupsNow = async (): Promise<string[]> =>
      (await admin.listGroups()).groups.map(({ groupId }) => groupId);
    // A reader of another test that was stopped by its signal may have left one.
    const before = await groupsNow();
    const found = (await topics.produced()).cursors.filter(({ source }) => source === 'test');
    expect(found).toEqual([
      { ...cursor, aggTradeId: 9, writtenAt: 10 },
      { ...cursor, symbol: 'BBB' },
    ]);
    expect((await groupsNow()).filter((group) => !before.includes(group))).toEqual([]);
    await admin.disconnect();
  });

  it('gives back the newest heartbeat of each producer that was not replaced', async () => {
    const topics = topicsOf('order');
    const sink = kafkaSink(options('order'));
    opened.push(sink);
    const heartbeat: ProducerHeartbeat = {
      ...{ id: 'first', clientId: 'test', host: 'here', pid: 1, feed: 'poll', source: 'test' },
      ...{ startedAt: 1, writtenAt: 2, outages: [], symbols: [{ symbol: 'AAA', answeredAt: 2 }] },
    };
    await sink.writeHeartbeat(heartbeat);
    await sink.writeHeartbeat({ ...heartbeat, id: 'second' }, [heartbeat]);
    await sink.writeHeartbeat({ ...heartbeat, id: 'second', writtenAt: 9, endedBy: 'order' });
    const found = (await topics.produced()).producers.filter(({ source }) => source === 'test');
    expect(found).toEqual([{ ...heartbeat, id: 'second', writtenAt: 9, endedBy: 'order' }]);
  });

  it('takes the next call after one that failed for good, with a new producer', async () => {
    const sink = kafkaSink(options('order'));
    opened.push(sink);
    const tooLarge = [{ ...aTick({ aggTradeId: 1, symbol: 'BIGUSDT' }), price: '1'.repeat(2_000_000) }];
    await expect(sink.send(tooLarge)).rejects.toMatchObject({ exitCode: 4, retryable: false });
    await sink.send(ticksFrom(7, 8, 'BIGUSDT'));
    expect(idsOf(await readAll('order'), 'BIGUSDT')).toEqual([7, 8]);
  });

  it('ends with exit code 4 when no Kafka answers', async () => {
    const sink = kafkaSink({ ...options('order'), brokers: ['127.0.0.1:1'], timeoutMs: 1500 });
    opened.push(sink);
    await expect(sink.send(ticksFrom(1, 2))).rejects.toThrow(UnreachableError);
  });
});

describe('cryptopipe produce', () => {
  it('has every id at least once after kill -9 in the middle, and nothing missing after the cursor', async () => {
    const topic = 'killed';
    const topics = topicsOf(topic);
    await topics.ensure();
    const args = ['--symbols', 'BTCUSDT,ETHUSDT', '--from', '0', '--until-caught-up', '--json'];
    const first = start(topic, args);
    while ((await topics.offsets(topic)).every(({ latest }) => latest < 5000n))
      await new Promise((resolve) => setTimeout(resolve, 20));
    first.child.kill('SIGKILL');
    expect(await first.ended).toBeNull();
    // The first trades may all be of one symbol, and the cursors of the next second are not written any more.
    const found = await Promise.all(
      ['BTCUSDT', 'ETHUSDT'].map(async (name) => ({ name, id: await cursorIdOf(topics, name) })),
    );
    const { name: begun, id: cursor = -1 } = found.find(({ id }) => id !== undefined) ?? found[0]!;
    expect(cursor).toBeGreaterThanOrEqual(0);
    expect(cursor).toBeLessThan(newest);
    const before = new Set(idsOf(await readAll(topic), begun));
    for (let id = 0; id <= cursor; id++) expect(before.has(id)).toBe(true);

    const second = start(topic, args);
    expect(await second.ended).toBe(0);
    const messages = await readAll(topic);
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
      const sent = idsOf(messages, symbol);
      expect([...new Set(sent)].sort((left, right) => left - right)).toEqual(ids(0, newest));
      expect(await cursorIdOf(topics, symbol)).toBe(newest);
    }
    const lines = second.output.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.find(({ type, symbol }) => type === 'start' && symbol === begun)).toMatchObject({
      reason: 'cursor',
      nextId: cursor + 1,
    });
    expect(lines.at(-1)).toMatchObject({ type: 'summary', ended: 'caught up' });
  });

  it('flushes on a signal, says what it sent, and ends with 0', async () => {
    const topic = 'interrupted';
    await topicsOf(topic).ensure();
    const args = ['--feed', 'poll', '--from', '0', '--ignore-cursor', '--interval', '200'];
    const { child, output, ended } = start(topic, args);
    while ((await topicsOf(topic).offsets(topic)).every(({ latest }) => latest < 1000n))
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    const sent = idsOf(await readAll(topic), 'BTCUSDT');
    expect(sent).toEqual(ids(0, sent.length - 1));
    expect(await cursorIdOf(topicsOf(topic), 'BTCUSDT')).toBe(sent.length - 1);
    expect(output.err).toContain(`stopped: ${sent.length.toLocaleString('en-US')} trades`);
  });

  it('names a topic that is missing before it asks for a trade', async () => {
    const asked = exchange.requests.length;
    const { output, ended } = start('nowhere', ['--until-caught-up']);
    expect(await ended).toBe(3);
    expect(output.err).toMatch(/has no topic nowhere\nMake the topics with `cryptopipe init`/);
    expect(exchange.requests.slice(asked).filter((path) => path.includes('aggTrades'))).toEqual([]);
  });
});
