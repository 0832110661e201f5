import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, Kafka, KafkaMessage } from 'kafkajs';
import { cursorKey, parseCursor } from '../core/cursor.js';
import type { Cursor, Produced } from '../core/ports/topic.js';
import { heartbeatKey, parseHeartbeat, type ProducerHeartbeat } from '../core/producer-heartbeat.js';
import { closeQuietly } from './kafka-client.js';

/**
 * The newest cursor and heartbeat of each key: reads the compacted topic from its beginning to the end that it has now, with a
 * consumer group of its own that is deleted afterwards. When the signal aborts, the consumer is closed and nothing is called any
 * more; Kafka removes the group by itself, because it has neither members nor offsets.
 */
export async function readProduced(
  { kafka, admin }: { readonly kafka: Kafka; readonly admin: Admin },
  topic: string,
  signal?: AbortSignal,
): Promise<Produced> {
  const ends = (await admin.fetchTopicOffsets(topic))
    .filter(({ low, high }) => BigInt(high) > BigInt(low))
    .map(({ partition, high }) => ({ partition, last: BigInt(high) - 1n }));
  signal?.throwIfAborted();
  if (ends.length === 0) return { cursors: [], producers: [] };
  const groupId = `cryptopipe-cursors-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 500 });
  const newest = new Newest();
  try {
    const open = new Map(ends.map(({ partition, last }) => [partition, last]));
    await readTo(consumer, topic, { open, newest, signal });
  } finally {
    await closeQuietly(() => consumer.disconnect());
    if (signal?.aborted !== true)
      await closeQuietly(async () => {
        await admin.deleteGroups([groupId]);
      });
  }
  return newest.produced;
}

class Newest {
  private readonly cursors = new Map<string, Cursor>();
  private readonly producers = new Map<string, ProducerHeartbeat>();

  get produced(): Produced {
    return { cursors: [...this.cursors.values()], producers: [...this.producers.values()] };
  }

  read({ key, value }: KafkaMessage): void {
    if (value === null) {
      this.producers.delete(String(key));
      return;
    }
    const text = value.toString();
    const cursor = parseCursor(text);
    if (cursor !== undefined) this.cursors.set(cursorKey(cursor), cursor);
    const heartbeat = cursor === undefined ? parseHeartbeat(text) : undefined;
    if (heartbeat !== undefined) this.producers.set(heartbeatKey(heartbeat), heartbeat);
  }
}

interface Reading {
  /** The last offset of each partition that is not yet read to it. */
  readonly open: Map<number, bigint>;
  readonly newest: Newest;
  readonly signal: AbortSignal | undefined;
}

async function readTo(consumer: Consumer, topic: string, { open, newest, signal }: Reading): Promise<void> {
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
    consumer
      .run({
        autoCommit: false,
        eachBatch: ({ batch }) => {
          batch.messages.forEach((message) => newest.read(message));
          const last = open.get(batch.partition);
          if (last !== undefined && BigInt(batch.lastOffset()) >= last) open.delete(batch.partition);
          if (open.size === 0) resolve();
          return Promise.resolve();
        },
      })
      .catch(reject);
  });
}
