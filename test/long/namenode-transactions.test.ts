import { statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/compose.js';
import type { ServerName } from '../../src/core/ports/stack.js';
import { javaCommandOf, newestTransaction, writeEdits } from '../support/edit-log.js';
import { eventually } from '../support/pipeline.js';
import { seconds } from '../support/service.js';
import { startStack, type TestStack } from '../support/stack.js';

const transactions = Number(process.env['TRANSACTIONS'] ?? 2_000_000);
/** Written by WebHDFS while the SecondaryNameNode runs; it makes a checkpoint after 100,000. */
const liveTransactions = 120_000;
/** The newest checkpoint of a running stack is at most so old, and what is written while one is made. */
const mostReplayed = 200_000;
const parallel = 32;

describe('the NameNode after two million transactions', () => {
  let stack: TestStack;
  let current: string;
  beforeAll(async () => {
    stack = await startStack({ name: 'namenode', portOffset: 13_500, only: ['name-node'] });
    current = join(stack.dataDir, 'hdfs', 'name', 'current');
  });
  afterAll(async () => stack.stop());

  const app = () => createApp(stack.config);
  const down = (): Promise<unknown> => app().stack.down({ say: () => undefined });
  /** Ms until it is ready. */
  async function up(server: ServerName): Promise<number> {
    const startedAt = Date.now();
    await app().stack.up({ say: () => undefined, signal: AbortSignal.timeout(300_000), only: [server] });
    return Date.now() - startedAt;
  }
  const image = (): number => newestTransaction(current, 'fsimage_');

  it('starts with and without a checkpoint', async () => {
    const running = (await app().stack.status()).find(({ name }) => name === 'name-node');
    const command = javaCommandOf(running?.pid ?? 0);
    await down();
    const emptyMs = await up('name-node');
    await down();
    await writeEdits(current, transactions, command);
    const megabytes = statSync(join(current, editsName(transactions))).size / 1e6;
    const withoutMs = await up('name-node');
    console.log(
      `${transactions} transactions without a checkpoint (${megabytes.toFixed(0)} MB): ready after ${seconds(withoutMs)} s; an empty NameNode after ${seconds(emptyMs)} s`,
    );
    await down();

    await up('secondary-name-node');
    const before = image();
    const writtenAt = Date.now();
    await writeLive();
    console.log(`${liveTransactions} transactions by WebHDFS in ${seconds(Date.now() - writtenAt)} s`);
    await eventually('a checkpoint', () => Promise.resolve(image() > before ? true : undefined), 180_000);
    await down();
    const left = newestTransaction(current, 'edits') - image();
    const withMs = await up('name-node');
    console.log(
      `after a checkpoint of the SecondaryNameNode at ${image()}: ready after ${seconds(withMs)} s`,
    );
    expect(image()).toBeGreaterThan(transactions);
    expect(left).toBeLessThan(mostReplayed);
    expect(withMs).toBeLessThan(withoutMs);
  });

  /** Folders made, in parallel. */
  async function writeLive(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: parallel });
    let next = 0;
    const writer = async (): Promise<void> => {
      while (next < liveTransactions) await makeFolder(agent, `/live/${(next += 1)}`);
    };
    await Promise.all(Array.from({ length: parallel }, writer));
    agent.destroy();
  }

  const makeFolder = (agent: Agent, path: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const url = `${stack.config.hdfs.webUrl}/webhdfs/v1${path}?op=MKDIRS&user.name=${stack.config.hdfs.user}`;
      const call = request(url, { method: 'PUT', agent, timeout: 30_000 }, (response) => {
        response.resume();
        response.on('end', () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
        );
      });
      call.on('timeout', () => call.destroy(new Error('no answer')));
      call.on('error', reject);
      call.end();
    });
});

const editsName = (last: number): string =>
  `edits_${'1'.padStart(19, '0')}-${String(last).padStart(19, '0')}`;
