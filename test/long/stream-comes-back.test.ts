import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunDetails, SeenRun } from '../../src/commands/runs.js';
import { driverProcess } from '../support/driver-processes.js';
import {
  aPipeline,
  eventually,
  startCommand,
  startExchange,
  type Pipeline,
  type Running,
  type StandIn,
} from '../support/pipeline.js';
import { startStack, type TestStack } from '../support/stack.js';

/** Within so long after something died a run is called what it is. */
const promiseMs = 30_000;
const comesBackMs = 120_000;

type Shown = SeenRun & Pick<RunDetails, 'batches'>;

let stack: TestStack;
let sandbox: StandIn;
let pipeline: Pipeline;
let producer: Running;

const anyCode = { exitCodes: [0, 4, 5] };
const show = async (): Promise<Shown> =>
  JSON.parse(await pipeline.run(['runs', 'show', 'streaming', '--json'], anyCode)) as Shown;

async function becomes(what: string, is: (run: Shown) => boolean, withinMs = promiseMs): Promise<Shown> {
  const start = Date.now();
  const find = async (): Promise<Shown | undefined> => {
    const run = await show();
    return is(run) ? run : undefined;
  };
  const run = await eventually(`a stream that is ${what}`, find, withinMs);
  console.log(`${what}: after ${((Date.now() - start) / 1000).toFixed(1)} s: ${run.situation.sentence}`);
  return run;
}

const counted = async (): Promise<number> => {
  const [row] = await pipeline.rows<{ trades: number }>(
    'SELECT count(*) AS trades FROM crypto.crypto_prices_clean',
  );
  return row?.trades ?? 0;
};

/** Until trades are counted that were not before. */
async function countsOn(): Promise<void> {
  const [start, before] = [Date.now(), await counted()];
  await eventually(
    'more counted trades',
    async () => ((await counted()) > before ? true : undefined),
    comesBackMs,
  );
  console.log(`counts on: after ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

async function killServer(name: 'spark-worker' | 'spark-master'): Promise<void> {
  const server = (await pipeline.app.stack.status()).find((one) => one.name === name);
  if (server?.state !== 'running' || server.pid === undefined) throw new Error(`${name} does not run`);
  process.kill(server.pid, 'SIGKILL');
}

beforeAll(async () => {
  stack = await startStack({ name: 'stream-comes-back', portOffset: 19_000 });
  sandbox = await startExchange(stack.env, ['--symbols', 'BTCUSDT', '--rate', '20', '--history', '1']);
  pipeline = await aPipeline('comes_back', { exchangeUrl: sandbox.url, stackEnvironment: stack.env });
  producer = startCommand(pipeline.environment, [
    'produce',
    '--symbols',
    'BTCUSDT',
    '--from',
    '0',
    '--quiet',
  ]);
});
afterAll(async () => {
  await producer.end('SIGINT');
  await pipeline.close();
  await sandbox.stop();
  await stack.stop();
});

describe('the streaming job', () => {
  it('that is supervised comes back by itself after its worker and its master were killed', async () => {
    const run = await pipeline.submit();
    await countsOn();
    await killServer('spark-worker');
    await becomes('relaunching', ({ situation }) => situation.name === 'relaunching');
    await pipeline.run(['stack', 'up']);
    await countsOn();
    const back = await becomes('started again', ({ situation }) => situation.name === 'started again');
    expect(back).toMatchObject({ runId: run.runId, state: 'RUNNING', restarts: 1 });
    expect(back.batches.map(({ query }) => query)).toContain('hot');
    await killServer('spark-master');
    await becomes('unreachable', ({ situation }) => situation.name === 'unreachable');
    await pipeline.run(['stack', 'up']);
    await countsOn();
    const after = await becomes('known', ({ driverState }) => driverState === 'RUNNING');
    expect(after).toMatchObject({ submissionId: back.submissionId, restarts: 1 });
    await pipeline.run(['stop', 'streaming']);
  });

  it('without supervise comes back by one command, and nothing was lost or counted twice', async () => {
    const run = await pipeline.submit({}, ['--no-supervise']);
    await countsOn();
    process.kill(driverProcess(pipeline, run.submissionId ?? '', 'python'), 'SIGKILL');
    await becomes('failed', ({ state }) => state === 'FAILED');
    await pipeline.submit();
    await countsOn();
    await producer.end('SIGINT');
    await pipeline.run(['stop', 'streaming']);
    const [end] = await pipeline.rows<{ counted: number; holes: number }>(
      `SELECT (SELECT sum(counted) FROM crypto.batches WHERE query = 'hot')::bigint AS counted,
              (SELECT count(*) FROM crypto.holes) AS holes`,
    );
    expect(end).toEqual({ counted: await counted(), holes: 0 });
  });
});
