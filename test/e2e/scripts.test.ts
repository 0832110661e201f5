import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { repository } from '../support/documents.js';
import { aPipeline, eventually, type Pipeline } from '../support/pipeline.js';
import { callScript } from '../support/scripts.js';

let pipeline: Pipeline;
/** Its own places, as the scripts take parameters of the streaming job. */
let parameters: readonly string[];

beforeAll(async () => {
  pipeline = await aPipeline('scripts');
  parameters = Object.entries(pipeline.parameters).map(([name, value]) => `${name}=${value}`);
});
afterAll(() => pipeline.close());

const call = (script: string, args: readonly string[] = [], more: Readonly<Record<string, string>> = {}) =>
  callScript(script, args, { ...pipeline.environment, ...more });
const smokeTest = () => call('smoke_test.sh', parameters);
const liveRuns = async (): Promise<readonly string[]> =>
  (await pipeline.app.book.list({ live: true })).map(({ runId }) => runId);

interface Smoke {
  readonly bars: number;
  readonly final: number;
  readonly ids: string;
}
const smoke = async (): Promise<Smoke> => {
  const [row] = await pipeline.rows<{ bars: number; final: number; ids: string }>(
    `SELECT count(*)::INT AS bars, count(finalized_at)::INT AS final,
       (SELECT ids::TEXT FROM crypto.coverage WHERE symbol = 'SMOKETEST') AS ids
     FROM crypto.crypto_prices_agg_1min WHERE symbol = 'SMOKETEST'`,
  );
  return row!;
};
/** The length of a coverage that is one range. */
const lengthOf = (ids: string): number => {
  const [, first, end] = /^\{\[(\d+),(\d+)\)\}$/.exec(ids) ?? [];
  return Number(end) - Number(first);
};
const steps = (stdout: string): string[] => stdout.split('\n').map((line) => line.split(/\s/)[0] ?? '');
const exchangeOf = (stdout: string): string => /http:\/\/\S+/.exec(stdout)![0];

it('init_kafka_topics.sh makes the topics once, and asks nobody but Kafka', async () => {
  const own = { KAFKA_TOPIC: `${pipeline.topic}_own`, PGPORT: '1', WEBHDFS_URL: 'http://localhost:1' };
  const said: string[] = [];
  for (const args of [['--dry-run'], [], []]) {
    const { exitCode, stdout } = await call('init_kafka_topics.sh', args, own);
    said.push(
      `${exitCode} ${new RegExp(`${own.KAFKA_TOPIC} +│ (would be made|made|is there)`).exec(stdout)?.[1] ?? stdout}`,
    );
  }
  expect(said).toEqual(['0 would be made', '0 made', '0 is there']);
});

it('smoke_test.sh proves the stack, and leaves neither a run nor a sandbox', async () => {
  const { exitCode, stdout, stderr } = await smokeTest();
  console.log(stdout);
  expect([exitCode, stderr.includes('error:'), steps(stdout)]).toEqual([
    ...[0, false],
    ['init', 'sandbox', 'produce', 'submit', 'status', 'verify', 'run', 'smoke'],
  ]);
  const { bars, final, ids } = await smoke();
  expect([lengthOf(ids), final]).toEqual([1920, bars - 2]);
  expect(stdout).toContain(`verify   ${final} final bars of ${final} equal the exchange's in nine fields`);
  expect(await liveRuns()).toEqual([]);
  await expect(fetch(exchangeOf(stdout))).rejects.toThrow('fetch failed');
});

it('run_spark_jobs.sh starts the stream once', async () => {
  const first = await call('run_spark_jobs.sh', parameters);
  const runs = await liveRuns();
  expect([first.exitCode, runs.length]).toEqual([0, 1]);
  const second = await call('run_spark_jobs.sh', parameters);
  expect([second.exitCode, await liveRuns()]).toEqual([0, runs]);
});

it('smoke_test.sh goes on where it stood, and leaves a stream that ran as it is', async () => {
  const [before, runs] = [await smoke(), await liveRuns()];
  const { exitCode, stdout } = await smokeTest();
  expect([exitCode, steps(stdout).at(-1)]).toEqual([0, 'smoke']);
  const after = await smoke();
  expect(after.final).toBe(after.bars - 2);
  expect(after.final).toBeGreaterThan(before.final + 15);
  expect(lengthOf(after.ids)).toBeGreaterThan(lengthOf(before.ids) + 900);
  expect(await liveRuns()).toEqual(runs);
});

it('smoke_test.sh ends with 5 where a bar is not what the exchange has', async () => {
  await pipeline.rows(
    `UPDATE crypto.crypto_prices_agg_1min SET volume = volume + 1
     WHERE symbol = 'SMOKETEST' AND finalized_at IS NULL AND window_start > '2024-01-01 00:00Z'`,
  );
  const { exitCode, stdout, stderr } = await smokeTest();
  expect([exitCode, steps(stdout).at(-1)]).toEqual([5, 'status']);
  expect(stderr).toMatch(
    /^error: bars equal in nine fields: (\d+), not \d+\nsmoke test: FAILED, exit code 5$/m,
  );
});

it('smoke_test.sh leaves nothing when it is ended in the middle', async () => {
  const [runId = ''] = await liveRuns();
  await pipeline.run(['stop', runId]);
  const child = execa(join(repository, 'scripts', 'smoke_test.sh'), parameters, {
    ...{ env: { ...pipeline.environment }, extendEnv: false, reject: false, stdin: 'ignore' },
  });
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part.toString()));
  await eventually('the sandbox', () => Promise.resolve(/^sandbox .*\n/m.exec(text)?.[0]));
  child.kill('SIGTERM');
  expect(await child).toMatchObject({ exitCode: 143 });
  await expect(fetch(exchangeOf(text))).rejects.toThrow('fetch failed');
  expect(await liveRuns()).toEqual([]);
});

it.each([
  ['KAFKA_BOOTSTRAP_SERVERS', 'localhost:1', /Kafka at localhost:1/],
  ['PGPORT', '1', /PostgreSQL at localhost:1 did not answer/],
  ['WEBHDFS_URL', 'http://localhost:1', /localhost:1 did not answer/],
])('smoke_test.sh ends with 4 where %s names a dead server', async (name, value, words) => {
  const { exitCode, stdout, stderr } = await call('smoke_test.sh', parameters, { [name]: value });
  expect([exitCode, stdout]).toEqual([4, '']);
  expect(stderr).toMatch(words);
  expect(stderr).toMatch(/smoke test: FAILED, exit code 4$/);
});

it('run_spark_jobs.sh --wait follows a job with parameters to its end', async () => {
  const rejected = `rejected_path=${pipeline.parameters['rejected_path']!}`;
  const { exitCode } = await call('run_spark_jobs.sh', ['--wait', 'quality', 'day=none', rejected]);
  const [run] = await pipeline.app.book.list({ job: 'quality' });
  expect([exitCode, run?.state, run?.parameters['day']]).toEqual([0, 'FINISHED', 'none']);
});
