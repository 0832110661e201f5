import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, Kafka } from 'kafkajs';
import { cursorKey, parseCursor } from '../core/cursor.js';
import type { Cursor } from '../core/ports/topic.js';
import { closeQuietly, whileRetriable } from './kafka-client.js';

/**
 * The newest cursor of each key: reads the compacted topic from its beginning to the end that it has now, with a consumer
 * group of its own that is deleted afterwards.
 */
export async function readCursors(kafka: Kafka, admin: Admin, topic: string): Promise<Cursor[]> {
  const ends = (await whileRetriable(() => admin.fetchTopicOffsets(topic)))
    .filter(({ low, high }) => BigInt(high) > BigInt(low))
    .map(({ partition, high }) => ({ partition, last: BigInt(high) - 1n }));
  if (ends.length === 0) return [];
  const groupId = `cryptopipe-cursors-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 500 });
  try {
    return await readTo(consumer, topic, new Map(ends.map(({ partition, last }) => [partition, last])));
  } finally {
    await closeQuietly(() => consumer.disconnect());
    await closeQuietly(async () => {
      await admin.deleteGroups([groupId]);
    });
  }
}

/** `open` holds the last offset of each partition that is not yet read to it. */
async function readTo(consumer: Consumer, topic: string, open: Map<number, bigint>): Promise<Cursor[]> {
  const newest = new Map<string, Cursor>();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
    consumer
      .run({
        autoCommit: false,
        eachBatch: ({ batch }) => {
          for (const { value } of batch.messages) {
            const cursor = parseCursor(value?.toString() ?? '');
            if (cursor !== undefined) newest.set(cursorKey(cursor), cursor);
          }
          const last = open.get(batch.partition);
          if (last !== undefined && BigInt(batch.lastOffset()) >= last) open.delete(batch.partition);
          if (open.size === 0) resolve();
          return Promise.resolve();
        },
      })
      .catch(reject);
  });
  return [...newest.values()];
}
