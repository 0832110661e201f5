import type { Admin, Kafka } from 'kafkajs';
import type { Topics } from '../core/ports/topic.js';
import {
  closeQuietly,
  kafkaClient,
  persistent,
  requireTopics,
  type KafkaOptions,
  type RetryTools,
} from './kafka-client.js';
import { readProduced } from './kafka-cursors.js';
import { ensureTopic, plansOf } from './kafka-topic-plans.js';

interface Opened {
  readonly kafka: Kafka;
  readonly admin: Admin;
}

/** The topics themselves, through Kafka's admin protocol; connects on the first call. */
export function kafkaTopics(options: KafkaOptions, tools?: RetryTools): Topics {
  let opened: Promise<Opened> | undefined;
  const connected = (): Promise<Opened> => {
    if (opened !== undefined) return opened;
    const made = connect(options);
    opened = made;
    made.catch(() => {
      if (opened === made) opened = undefined;
    });
    return made;
  };
  return {
    ensure: ({ isDryRun = false } = {}) =>
      persistent(options, tools, { what: 'make its topics' }, async () => {
        const { admin } = await connected();
        const lines: string[] = [];
        for (const plan of plansOf(options)) lines.push(await ensureTopic(admin, plan, isDryRun));
        return lines;
      }),
    offsets: (topic, signal) =>
      persistent(options, tools, { what: 'tell its offsets', signal }, async () => {
        const { admin } = await connected();
        await requireTopics(options, admin, [topic]);
        const offsets = await admin.fetchTopicOffsets(topic);
        return offsets
          .map(({ partition, low, high }) => ({ partition, earliest: BigInt(low), latest: BigInt(high) }))
          .sort((left, right) => left.partition - right.partition);
      }),
    produced: (signal) =>
      persistent(options, tools, { what: 'give the cursors back', signal }, async () => {
        const { admin, kafka } = await connected();
        if (!(await admin.listTopics()).includes(options.cursorTopic)) return { cursors: [], producers: [] };
        return readProduced({ kafka, admin }, options.cursorTopic, signal);
      }),
    close: async () => {
      const open = opened;
      opened = undefined;
      if (open !== undefined) await closeQuietly(async () => (await open).admin.disconnect());
    },
  };
}

async function connect(options: KafkaOptions): Promise<Opened> {
  const kafka = await kafkaClient(options);
  const admin = kafka.admin();
  await admin.connect();
  return { kafka, admin };
}
