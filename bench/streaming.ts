import { eventually, type World } from './world.js';

/** A run of the streaming job. */
export interface Streaming {
  readonly runId: string;
  /** When the command line was started, epoch ms. */
  readonly submittedAt: number;
  stop(): Promise<void>;
}

/** Submits the job with a checkpoint of its own; returns when it has registered itself. */
export async function submitStreaming(
  world: World,
  topic: string,
  parameters: Readonly<Record<string, string | number>> = {},
): Promise<Streaming> {
  const submittedAt = Date.now();
  const [submitted] = await world.run(topic, [
    ...['submit', 'streaming', '--json', '-p', `checkpoint_path=${await checkpointOf(world, topic)}`],
    ...Object.entries(parameters).flatMap(([name, value]) => ['-p', `${name}=${value}`]),
  ]);
  const runId = String(submitted?.['runId']);
  const stop = async (): Promise<void> => {
    await world.run(topic, ['stop', runId, '--timeout', '180', '--json']);
  };
  return { runId, submittedAt, stop };
}

async function checkpointOf(world: World, topic: string): Promise<string> {
  const [addresses] = await world.run(topic, ['stack', 'env', '--json']);
  return `${new URL(String(addresses?.['HDFS_RAW_PATH'])).href.replace(/\/datalake\/.*$/, '')}${checkpointFolder(topic)}`;
}

/** Where a topic's checkpoint lies in HDFS. */
export const checkpointFolder = (topic: string): string => `/checkpoints/${topic}`;

/** A committed batch of the hot query. */
export interface Batch {
  readonly counted: number;
  /** Per partition the first offset and the one after the last. */
  readonly offsets: Readonly<Record<string, readonly [number, number]>>;
  /** Epoch ms, of the last statement of its transaction. */
  readonly committedAt: number;
}

interface BatchRow {
  readonly counted: string;
  readonly offsets: Batch['offsets'];
  readonly committed_at: Date;
}

/** The hot query's batches of a run, in the order of their commits. */
export async function hotBatches(world: World, runId: string): Promise<Batch[]> {
  const { rows } = await world.pool.query<BatchRow>(
    `SELECT counted, offsets, committed_at FROM crypto.batches WHERE run_id = $1 AND query = 'hot' ORDER BY id`,
    [runId],
  );
  return rows.map(({ counted, offsets, committed_at }) => ({
    counted: Number(counted),
    offsets,
    committedAt: committed_at.getTime(),
  }));
}

/** Waits until the hot query has counted so many trades. */
export function counted(world: World, runId: string, trades: number): Promise<Batch[]> {
  return eventually(`${trades} trades counted by run ${runId}`, 900_000, async () => {
    const batches = await hotBatches(world, runId);
    const sum = batches.reduce((total, batch) => total + batch.counted, 0);
    return sum >= trades ? batches : undefined;
  });
}

/** When the job had registered itself and its queries began, epoch ms. */
export async function registeredAt(world: World, runId: string): Promise<number> {
  const { rows } = await world.pool.query<{ readonly started_at: Date }>(
    'SELECT started_at FROM crypto.job_runs WHERE run_id = $1',
    [runId],
  );
  return rows[0]?.started_at.getTime() ?? Number.NaN;
}
