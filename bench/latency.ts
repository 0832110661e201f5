import { setTimeout as sleep } from 'node:timers/promises';
import { readArrivals, type Arrival } from './arrivals.js';
import { live } from './live.js';
import { percentile, type Measure } from './report.js';
import { counted, hotBatches, type Batch } from './streaming.js';
import type { World } from './world.js';

const bench = 'latency';
/** The first batches pay for a cold JVM; a stream lives for weeks. */
const warmUpMs = 30_000;
/** The last messages of the time that is measured must be committed too. */
const settleMs = 10_000;

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
