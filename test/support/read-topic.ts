import kafkajs from 'kafkajs';
import type { Topics } from '../../src/core/ports/topic.js';

export interface Message {
  readonly key: string;
  readonly value: string;
  readonly partition: number;
}

/** Everything that the topic holds now. */
export async function readTopic(
  { brokers, topics }: { readonly brokers: readonly string[]; readonly topics: Pick<Topics, 'offsets'> },
  topic: string,
): Promise<Message[]> {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  const ends = await topics.offsets(topic);
  const expected = ends.reduce((total, { earliest, latest }) => total + Number(latest - earliest), 0);
  const consumer = kafka.consumer({ groupId: `read-${topic}-${Date.now()}` });
  const messages: Message[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve) => {
    if (expected === 0) resolve();
    void consumer.run({
      eachBatch: ({ batch }) => {
        for (const { key, value } of batch.messages)
          messages.push({ key: String(key), value: String(value), partition: batch.partition });
        if (messages.length >= expected) resolve();
        return Promise.resolve();
      },
    });
  });
  await consumer.disconnect();
  return messages;
}
