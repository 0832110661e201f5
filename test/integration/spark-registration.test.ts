import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp, type App } from '../../src/compose.js';
import { isAlive } from '../../src/stack/process-table.js';
import { readState } from '../../src/stack/state.js';
import { markLogs } from '../support/log-mark.js';
import { startStack, type TestStack } from '../support/stack.js';

const only = ['spark-worker'] as const;
let stack: TestStack;
let app: App;

beforeAll(async () => {
  stack = await startStack({ name: 'native-registration', portOffset: 19_000, only });
  app = createApp(stack.config);
});
afterAll(async () => {
  await app.close();
  await stack.stop();
});

describe('master and worker that are killed together', () => {
  // The worker has the same port each time. A master that recovers writes to the workers that it remembers; a new worker
  // that listens there already would take it for a master that knows it, and never register.
  it.each([1, 2, 3])('are known to each other after `stack up`, round %i', async () => {
    const { processes } = readState(stack.dataDir)!;
    const killed = [processes['spark-master']!, processes['spark-worker']!];
    for (const { pid } of killed) process.kill(pid, 'SIGKILL');
    await expect.poll(() => killed.filter(isAlive)).toEqual([]);
    const log = markLogs(stack.dataDir, ['spark-master', 'spark-worker']);
    const started = Date.now();
    await app.stack.up({ say: () => undefined, signal: AbortSignal.timeout(110_000), only });
    console.log(`stack up after ${((Date.now() - started) / 1000).toFixed(1)} s`);
    const { workers } = await app.spark.master();
    expect(workers.filter(({ state }) => state === 'ALIVE')).toHaveLength(1);
    expect(log.timesSince('spark-worker', 'Successfully registered with master')).toBe(1);
    expect(log.since('spark-worker')).not.toContain('Master has changed');
    expect(log.timesSince('spark-master', 'Registering worker ')).toBe(1);
  });
});
