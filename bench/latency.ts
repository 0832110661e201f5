import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { live, liveTopic } from './live.js';
import { percentile, type Measure } from './report.js';
import { counted, hotBatches, type Batch } from './streaming.js';
import type { World } from './world.js';

const bench = 'latency';
/** The first batches pay for a cold JVM; a stream lives for weeks. */
const warmUpMs = 30_000;
/** The last messages of the time that is measured must be committed too. */
const settleMs = 10_000;

interface Arrival {
  readonly partition: number;
  readonly offset: number;
  /** Epoch ms, by Kafka's own clock (LogAppendTime). */
  readonly appendedAt: number;
}

/** From Kafka's append to PostgreSQL's commit, of every single message of a time of live trading. */
export async function measureLatency(world: World): Promise<Measure[]> {
  const { runId } = await live(world);
  await counted(world, runId, 1);
  world.say(`warming up for ${warmUpMs / 1000} s, then measuring for ${world.scale.seconds} s`);
  await sleep(warmUpMs);
  const from = Date.now();
  const until = from + world.scale.seconds * 1000;
  await sleep(until - from + settleMs);
  const batches = await hotBatches(world, runId);
  const arrivals = (await readArrivals(world)).filter(
    ({ appendedAt }) => appendedAt >= from && appendedAt < until,
  );
  const delays = delaysOf(arrivals, batches);
  const inTime = batches.filter(({ committedAt }) => committedAt >= from && committedAt < until);
  const rate = (1000 * arrivals.length) / (until - from);
  const note = `${arrivals.length.toLocaleString('en-US')} messages, ${rate.toFixed(0)} a second, in ${inTime.length} batches, both queries at work; ${warmUpMs / 1000} s of warm-up before`;
  const at = (share: number): number => percentile(delays, share) / 1000;
  return [
    { bench, what: 'Kafka append to PostgreSQL commit, p50', value: at(0.5), unit: 's', note },
    {
      bench,
      what: 'Kafka append to PostgreSQL commit, p95',
      value: at(0.95),
      unit: 's',
      goal: 'under 1',
      note: `p99 ${at(0.99).toFixed(2)} s, most ${at(1).toFixed(2)} s`,
    },
  ];
}

/** Sorted, ms. A message that no batch holds would be missing from every share, so it is an error. */
function delaysOf(arrivals: readonly Arrival[], batches: readonly Batch[]): number[] {
  const committedAt = ({ partition, offset }: Arrival): number => {
    const holder = batches.find(({ offsets }) => {
      const [first, end] = offsets[String(partition)] ?? [0, 0];
      return first <= offset && offset < end;
    });
    if (holder === undefined) throw new Error(`no batch holds offset ${offset} of partition ${partition}`);
    return holder.committedAt;
  };
  return arrivals
    .map((arrival) => committedAt(arrival) - arrival.appendedAt)
    .sort((left, right) => left - right);
}

/** The append time of every message that the topic has now. */
async function readArrivals(world: World): Promise<Arrival[]> {
  const admin = world.kafka.admin();
  await admin.connect();
  const open = new Map(
    (await admin.fetchTopicOffsets(liveTopic))
      .filter(({ high }) => Number(high) > 0)
      .map(({ partition, high }) => [partition, Number(high) - 1]),
  );
  await admin.disconnect();
  const consumer = world.kafka.consumer({ groupId: `bench-${randomUUID()}` });
  const arrivals: Arrival[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: liveTopic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
    const eachBatch = ({
      batch,
    }: {
      batch: { partition: number; messages: readonly { offset: string; timestamp: string }[] };
    }): Promise<void> => {
      for (const { offset, timestamp } of batch.messages)
        arrivals.push({ partition: batch.partition, offset: Number(offset), appendedAt: Number(timestamp) });
      const newest = Number(batch.messages.at(-1)?.offset ?? -1);
      if (newest >= (open.get(batch.partition) ?? Number.POSITIVE_INFINITY)) open.delete(batch.partition);
      if (open.size === 0) resolve();
      return Promise.resolve();
    };
    consumer.run({ autoCommit: false, eachBatch }).catch(reject);
  });
  await consumer.disconnect();
  return arrivals;
}
