import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { follow } from '../../src/commands/follow.js';
import { submit } from '../../src/commands/submit.js';
import { inTransaction, createPool } from '../../src/adapters/postgres.js';
import { workOf } from '../../src/commands/render.js';
import { findJob } from '../../src/core/job.js';
import type { JobRun } from '../../src/core/ports/runs.js';
import { driverProcesses, killAll } from '../support/driver-processes.js';
import { openLake, type LakeCopy } from '../support/lake.js';
import { describeRecorded, recorded } from '../support/market-data.js';
import { aPipeline, eventually, playTapes, produceAll, type Pipeline } from '../support/pipeline.js';
import { countsOf, stateOf } from '../support/warehouse-state.js';

const symbols = ['BTCUSDT', 'ETHUSDT'];
const tapes = symbols.map((symbol) => recorded('spot_2024-08-08', `${symbol}-aggTrades-2024-08-08.csv.gz`));
const trades = 18_745;

describeRecorded('the same rows, whatever happens on the way', () => {
  let sandbox: Awaited<ReturnType<typeof playTapes>>;
  let disturbed: Pipeline;
  let undisturbed: Awaited<ReturnType<typeof stateOf>>;
  let second: JobRun;

  beforeAll(async () => {
    sandbox = await playTapes(tapes);
    disturbed = await aPipeline('disturbed', { exchangeUrl: sandbox.url });
    await produceAll(disturbed, symbols);
    const calm = await aPipeline('undisturbed', { topic: disturbed.topic });
    await calm.workOff();
    undisturbed = await stateOf(calm);
    await calm.close();
    expect(undisturbed).toMatchObject({
      trades: { rows: trades },
      bars: { rows: 24 },
      coverage: { rows: 2 },
    });
  });
  afterAll(async () => {
    await disturbed.close();
    await sandbox.stop();
  });

  it('says so when the driver is killed in the middle of the tape', async () => {
    const run = await disturbed.submit({ max_offsets_per_trigger: 1000, hot_interval_ms: 1000 }, [
      '--no-supervise',
    ]);
    const batches = async (): Promise<number> =>
      (await disturbed.rows(`SELECT 1 FROM crypto.batches WHERE query = 'hot'`)).length;
    await eventually('a second batch', async () => ((await batches()) >= 2 ? true : undefined));
    const processes = driverProcesses(disturbed, run.submissionId!);
    expect(processes.length).toBeGreaterThan(0);
    // Right after a commit: then Spark has not yet written down that the batch is done, and will run it again.
    const seen = await batches();
    while ((await batches()) === seen);
    killAll(processes);
    const { counted } = await countsOf(disturbed, 'hot');
    expect(counted).toBeGreaterThan(0);
    expect(counted).toBeLessThan(trades);
    await eventually('the end of the killed run', async () => {
      const { runs } = JSON.parse(await disturbed.run(['runs', '--json'])) as { runs: JobRun[] };
      return runs.find(({ runId, state }) => runId === run.runId && state === 'FAILED');
    });
    await eventually('a status that names the killed run', async () => {
      const report = await disturbed.run(['status', '--json'], { exitCodes: [4, 5] });
      const { parts } = JSON.parse(report) as { parts: { name: string; problems: string[] }[] };
      return parts.find(({ problems }) =>
        problems.some((line) => line.startsWith(`run ${run.runId}, failed: `)),
      );
    });
  });

  it('goes on from there when it is submitted again', async () => {
    second = await disturbed.submit({ hot_interval_ms: 500 });
    await eventually('all trades', async () =>
      (await countsOf(disturbed, 'hot')).counted >= trades ? true : undefined,
    );
    expect(await stateOf(disturbed)).toEqual(undisturbed);
  });

  it('counts nothing when the whole tape is sent a second time', async () => {
    const { repeated: before } = await countsOf(disturbed, 'hot');
    await produceAll(disturbed, symbols);
    await eventually('all repeats', async () =>
      (await countsOf(disturbed, 'hot')).repeated >= before + trades ? true : undefined,
    );
    await eventually('all in the lake', async () =>
      (await offsetsInLake(disturbed)) === 2 * trades ? true : undefined,
    );
    await disturbed.run(['stop', second.runId, '--timeout', '200']);
    expect(await countsOf(disturbed, 'hot')).toMatchObject({
      counted: trades,
      repeated: before + trades,
      conflicted: 0,
      rejected: 0,
    });
    expect(await stateOf(disturbed)).toEqual(undisturbed);
  });

  it('counts nothing when the checkpoint is lost and everything runs again', async () => {
    const before = await openLake(disturbed.app.files, disturbed.folder);
    await before.close();
    await disturbed.app.files.remove(`${disturbed.folder}/checkpoint`);
    const run = await disturbed.workOff();
    expect(await countsOf(disturbed, 'hot', run.runId)).toMatchObject({ counted: 0, repeated: 2 * trades });
    expect(await stateOf(disturbed)).toEqual(undisturbed);
    const lake = await openLake(disturbed.app.files, disturbed.folder);
    try {
      // A leaf of the first generation that the second had touched would be gone, or have another size or time.
      expect(lake.files).toEqual(expect.arrayContaining([...before.files]));
      await expectWholeLake(disturbed, lake, 2);
    } finally {
      await lake.close();
    }
  });

  it('counts each trade once when two drivers work on the same trades at the same time', async () => {
    const shared = await aPipeline('two_drivers', { topic: disturbed.topic });
    const pool = createPool(shared.config.postgres);
    let started: Promise<JobRun>[] = [];
    // Neither can count before both stand before the same rows: from there on they race, batch by batch.
    await inTransaction(pool, async (client) => {
      await client.query('LOCK TABLE crypto.coverage IN EXCLUSIVE MODE');
      started = ['one', 'two'].map((name) => submitBeside(shared, name));
      await Promise.all(started);
      await eventually('two drivers that wait', async () => {
        const waiting = await shared.rows(
          `SELECT 1 FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'cryptopipe hot' AND wait_event_type = 'Lock'`,
        );
        return waiting.length === 2 ? true : undefined;
      });
    });
    const ends = await Promise.all(
      (await Promise.all(started)).map((run) =>
        follow(shared.app, run, { timeoutMs: 240_000, signal: new AbortController().signal }),
      ),
    );
    expect(ends.map(({ state }) => state)).toEqual(['FINISHED', 'FINISHED']);
    for (const { runId } of ends) {
      const { counted, repeated } = await countsOf(shared, 'hot', runId);
      expect(counted + repeated).toBe(2 * trades);
    }
    expect(await countsOf(shared, 'hot')).toMatchObject({
      counted: trades,
      repeated: 3 * trades,
      conflicted: 0,
    });
    expect(await stateOf(shared)).toEqual(undisturbed);
    const lake = await openLake(shared.app.files, shared.folder);
    await expectWholeLake(shared, lake, 2);
    await lake.close();
    await pool.end();
    await shared.close();
  });
});

const offsetsInLake = async (pipeline: Pipeline): Promise<number> =>
  (await pipeline.app.barStore.committedOffsets('lake')).reduce((sum, { next }) => sum + Number(next), 0);

/** A run for which the rule of one live run is set aside, and small enough that two have room on the stack's worker. */
async function submitBeside(pipeline: Pipeline, name: string): Promise<JobRun> {
  const { app, config, folder, parameters } = pipeline;
  const job = findJob('streaming', app.jobs);
  const own = {
    ...parameters,
    checkpoint_path: `${config.hdfs.root}${folder}/checkpoint-${name}`,
    mode: 'available-now',
    max_offsets_per_trigger: '10000',
  };
  const overrides = Object.entries(own).map(([key, value]) => `${key}=${value}`);
  const work = workOf(app.templates, job, overrides);
  const { run } = await submit(
    {
      files: app.files,
      book: app.book,
      spark: app.spark,
      clock: app.clock,
      say: () => undefined,
    },
    {
      work: { ...work, single: false, resources: { ...work.resources, coresMax: 1, executorCores: 1 } },
      submittedBy: 'a second driver',
      secrets: [],
      runId: app.newRunId(),
      hdfsRoot: config.hdfs.root,
      cluster: app.clusterView,
      registerTimeoutMs: 200_000,
      signal: new AbortController().signal,
    },
  );
  return run;
}

/** Each generation holds every offset of the topic once; without repeats the lake is what PostgreSQL has counted. */
async function expectWholeLake(pipeline: Pipeline, lake: LakeCopy, generations: number): Promise<void> {
  const offsets = await pipeline.app.topics.offsets(pipeline.topic);
  const expected = offsets
    .filter(({ latest }) => latest > 0n)
    .map(({ partition, latest }) => ({
      partition,
      ...{ messages: String(latest), offsets: String(latest), first: '0', last: String(latest - 1n) },
    }));
  for (const area of ['raw', 'clean']) {
    const held = await lake.rows(
      `SELECT generation, "partition", count(*) AS messages, count(DISTINCT "offset") AS offsets,
         min("offset") AS first, max("offset") AS last
       FROM ${area} GROUP BY ALL ORDER BY generation, "partition"`,
    );
    const names = [...new Set(held.map(({ generation }) => generation))];
    expect(names).toHaveLength(generations);
    expect(held).toEqual(names.flatMap((generation) => expected.map((row) => ({ generation, ...row }))));
  }
  const columns =
    'source, symbol, agg_trade_id, first_trade_id, last_trade_id, event_time, price, quantity, buyer_is_maker';
  const inOrder = 'ORDER BY source, symbol, agg_trade_id';
  const ofLake = await lake.rows(
    `SELECT ${columns} FROM (
       SELECT *, row_number() OVER (PARTITION BY source, symbol, agg_trade_id ORDER BY topic, "partition", "offset") AS occurrence
       FROM clean) WHERE occurrence = 1 ${inOrder}`,
  );
  const counted = await pipeline.rows(`SELECT ${columns} FROM crypto.crypto_prices_clean ${inOrder}`);
  expect(ofLake).toHaveLength(trades);
  expect(hashOf(ofLake)).toBe(hashOf(counted));
}

const hashOf = (rows: readonly Record<string, unknown>[]): string =>
  createHash('sha256')
    .update(rows.map((row) => Object.values(row).map(String).join('\t')).join('\n'))
    .digest('hex');
