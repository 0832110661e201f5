import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp, type App } from '../../src/compose.js';
import type { ProcessReport } from '../../src/core/ports/stack.js';
import { isAlive, membersOf } from '../../src/stack/process-table.js';
import { cryptopipe, eventually, startExchange, type StandIn } from '../support/pipeline.js';
import { readTopic } from '../support/read-topic.js';
import { startStack, type TestStack } from '../support/stack.js';
import { idOf, programOf } from '../support/supervised.js';

const topic = 'detached';
const symbols = ['BTCUSDT', 'ETHUSDT'];

let stack: TestStack;
let app: App;
let exchange: StandIn;

beforeAll(async () => {
  stack = await startStack({
    name: 'supervise-kafka',
    portOffset: 11_000,
    only: ['kafka'],
    env: { KAFKA_TOPIC: topic },
  });
  app = createApp(stack.config);
  await app.topics.ensure();
  const tape = ['--symbols', symbols.join(','), '--rate', '50', '--history', '3'];
  exchange = await startExchange(stack.env, tape);
});
afterAll(async () => {
  await app.close();
  await exchange.stop();
  await stack.stop();
});

async function call(...args: string[]): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await cryptopipe(stack.env, [...args, '--json'], 60_000);
  if (exitCode !== 0)
    throw new Error(`cryptopipe ${args.join(' ')}: exit ${exitCode ?? '?'}\n${stdout}\n${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function producer(): Promise<ProcessReport> {
  const { processes } = (await call('stack', 'status')) as unknown as { processes: ProcessReport[] };
  return processes.find(({ name }) => name === 'produce')!;
}

const messages = async (): Promise<number> =>
  (await app.topics.offsets(topic)).reduce((sum, { latest }) => sum + Number(latest), 0);

/** Of the exchange's whole history. */
async function firstIdOf(symbol: string): Promise<number> {
  const answer = await fetch(`${exchange.url}/api/v3/aggTrades?symbol=${symbol}&fromId=0&limit=1`);
  const [row] = (await answer.json()) as { a: number }[];
  return row!.a;
}

/** Waits until so many more messages are there. */
async function waitForMore(count: number): Promise<void> {
  const before = await messages();
  await eventually(
    `${count} more messages`,
    async () => ((await messages()) >= before + count ? true : undefined),
    60_000,
  );
}

it(
  'goes on after kill -9 of the producer, and after `stack up` of its supervisor, with every id',
  { timeout: 300_000 },
  async () => {
    const args = ['--symbols', symbols.join(','), '--exchange', exchange.url, '--from', '0'];
    const started = (await call('produce', '--detach', ...args)) as unknown as ProcessReport;
    for (const count of [1, 2]) {
      await waitForMore(200);
      const killed = programOf(started);
      process.kill(killed.pid, 'SIGKILL');
      await eventually(
        'another producer',
        () =>
          Promise.resolve(
            membersOf(idOf(started)).some(({ pid }) => pid !== started.pid && pid !== killed.pid)
              ? true
              : undefined,
          ),
        20_000,
      );
      await waitForMore(200);
      expect(await producer()).toMatchObject({
        ...{ pid: started.pid, state: 'running', restarts: { count, cause: 'signal SIGKILL' } },
      });
    }
    const { stderr } = await cryptopipe(stack.env, ['stack', 'status'], 60_000);
    expect(stderr).toMatch(
      /^produce crashed 2 times and was started again, last .+ ago after signal SIGKILL$/m,
    );
    const orphan = programOf(started);
    process.kill(started.pid!, 'SIGKILL');
    await eventually(
      'the end of the producer',
      () => Promise.resolve(isAlive(orphan) ? undefined : true),
      10_000,
    );
    await call('stack', 'up', '--only', 'kafka');
    const resumed = await producer();
    expect(resumed.pid).not.toBe(started.pid);
    await waitForMore(200);
    const members = membersOf(idOf(resumed));
    expect(await call('produce', '--stop')).toEqual({ isStopped: true });
    expect(members.filter(isAlive)).toEqual([]);
    const sent = await readTopic({ brokers: stack.config.kafka.brokers, topics: app.topics }, topic);
    const { cursors } = await app.topics.produced();
    for (const symbol of symbols) {
      const ids = sent
        .filter(({ key }) => key === symbol)
        .map(({ value }) => (JSON.parse(value) as { aggTradeId: number }).aggTradeId);
      const last = cursors.find((cursor) => cursor.symbol === symbol)?.aggTradeId ?? -1;
      const first = await firstIdOf(symbol);
      const count = last - first + 1;
      expect(count).toBeGreaterThan(1000);
      const distinct = [...new Set(ids)].sort((a, b) => a - b);
      expect(distinct).toEqual(Array.from({ length: count }, (_, index) => first + index));
      console.log(`${symbol}: ${count} ids, ${ids.length - count} of them sent again after a kill`);
    }
  },
);
