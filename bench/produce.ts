import { backlog } from './backlog.js';
import { kafkajsAlone } from './kafka-peer.js';
import { produceLimited } from './limited.js';
import type { Usage } from './program.js';
import type { Measure } from './report.js';
import type { World } from './world.js';

const bench = 'produce';
const cpu = (usage: Usage | undefined): string => `${usage?.cpuSeconds.toFixed(1) ?? 'unknown'} s`;

/** How fast one producer brings trades into Kafka, with all replicas' acknowledgement. */
export async function measureProduce(world: World): Promise<Measure[]> {
  const replay = await backlog(world);
  const peer = await kafkajsAlone(world);
  const limited = await produceLimited(world);
  return [
    {
      bench,
      what: 'replay into Kafka, no request limit',
      value: replay.trades / replay.seconds,
      unit: 'trades/s',
      goal: '60,000 or more',
      note: `${replay.trades.toLocaleString('en-US')} trades of two symbols in ${replay.seconds.toFixed(1)} s, acks=all; processor time: producer ${cpu(replay.producer)}, sandbox ${cpu(replay.exchange)} on the same cores`,
    },
    {
      bench,
      what: 'its peak memory',
      value: replay.producer === undefined ? Number.NaN : replay.producer.peakMemoryBytes / 1e6,
      unit: 'MB',
      note: 'VmHWM of the process',
    },
    {
      bench,
      what: 'the peer: kafkajs alone',
      value: peer,
      unit: 'trades/s',
      note: `the same messages made beforehand, nothing fetched; ours is ${((100 * replay.trades) / replay.seconds / peer).toFixed(0)} % of it`,
    },
    {
      bench,
      what: 'with the real request limit',
      value: limited.sent / limited.seconds,
      unit: 'trades/s',
      note: `${limited.sent.toLocaleString('en-US')} trades in the ${limited.seconds.toFixed(0)} s after a minute's begin; most weight used ${limited.usedWeight.toLocaleString('en-US')} of 6,000; refused by 429 or 418: ${limited.refusals}`,
    },
  ];
}
