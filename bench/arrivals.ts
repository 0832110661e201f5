import { randomUUID } from 'node:crypto';
import { liveTopic } from './live.js';
import type { World } from './world.js';

/** A message of the live topic. */
export interface Arrival {
  readonly partition: number;
  readonly offset: number;
  /** Epoch ms, by Kafka's own clock (LogAppendTime). */
  readonly appendedAt: number;
  readonly symbol: string;
  readonly aggTradeId: number;
}

/** The append time of every message that the topic has now. */
export async function readArrivals(world: World): Promise<Arrival[]> {
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
      batch: {
        partition: number;
        messages: readonly { offset: string; timestamp: string; value: Buffer | null }[];
      };
    }): Promise<void> => {
      for (const { offset, timestamp, value } of batch.messages) {
        const { symbol, aggTradeId } = JSON.parse(String(value)) as { symbol: string; aggTradeId: number };
        const appendedAt = Number(timestamp);
        arrivals.push({ partition: batch.partition, offset: Number(offset), appendedAt, symbol, aggTradeId });
      }
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
