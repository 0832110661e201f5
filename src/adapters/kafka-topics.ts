import kafkajs, { type Admin, type ITopicConfig } from 'kafkajs';
import type { Topics } from '../core/ports/topic.js';
import { bounded, closeQuietly, kafkaClient, requireTopics, type KafkaOptions } from './kafka-client.js';
import { readCursors } from './kafka-cursors.js';

interface TopicPlan {
  readonly topic: string;
  readonly partitions: number;
  readonly settings: Readonly<Record<string, string>>;
}

const sevenDaysMs = 7 * 24 * 3600 * 1000;

/**
 * The topics of the pipeline. Messages carry the time of their arrival: with the trade's own time Kafka would delete a replayed
 * old tape at its first retention check, and refuse a clock that runs ahead.
 */
const plansOf = (options: KafkaOptions): TopicPlan[] => [
  {
    topic: options.topic,
    partitions: 4,
    settings: {
      'cleanup.policy': 'delete',
      'message.timestamp.type': 'LogAppendTime',
      'retention.ms': String(sevenDaysMs),
      'max.message.bytes': String(1024 * 1024),
    },
  },
  {
    topic: options.cursorTopic,
    partitions: 1,
    settings: { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' },
  },
];

/** The topics themselves, through Kafka's admin protocol; connects on the first call. */
export function kafkaTopics(options: KafkaOptions): Topics {
  const kafka = kafkaClient(options);
  let admin: Promise<Admin> | undefined;
  const connected = (): Promise<Admin> => (admin ??= connect(kafka.admin()));
  return {
    ensure: () =>
      bounded(options, 'make its topics', async () => {
        const lines: string[] = [];
        for (const plan of plansOf(options)) lines.push(await ensureTopic(await connected(), plan));
        return lines;
      }),
    offsets: (topic) =>
      bounded(options, 'tell its offsets', async () => {
        const open = await connected();
        await requireTopics(options, open, [topic]);
        const offsets = await open.fetchTopicOffsets(topic);
        return offsets
          .map(({ partition, low, high }) => ({ partition, earliest: BigInt(low), latest: BigInt(high) }))
          .sort((left, right) => left.partition - right.partition);
      }),
    cursors: () =>
      bounded(options, 'give the cursors back', async () => {
        const open = await connected();
        if (!(await open.listTopics()).includes(options.cursorTopic)) return [];
        return readCursors(kafka, open, options.cursorTopic);
      }),
    close: async () => {
      const open = admin;
      admin = undefined;
      if (open !== undefined) await closeQuietly(async () => (await open).disconnect());
    },
  };
}

async function connect(admin: Admin): Promise<Admin> {
  await admin.connect();
  return admin;
}

async function ensureTopic(admin: Admin, plan: TopicPlan): Promise<string> {
  const topic: ITopicConfig = {
    topic: plan.topic,
    numPartitions: plan.partitions,
    replicationFactor: -1,
    configEntries: Object.entries(plan.settings).map(([name, value]) => ({ name, value })),
  };
  const isNew =
    !(await admin.listTopics()).includes(plan.topic) &&
    (await admin.createTopics({ topics: [topic], waitForLeaders: true }));
  if (isNew) return `${plan.topic}: made, ${countOf(plan.partitions)}, ${listOf(plan.settings)}`;
  const differences = await differencesOf(admin, plan);
  return differences.length === 0
    ? `${plan.topic}: is there`
    : `${plan.topic}: is there and is left as it is, but ${differences.join('; ')}`;
}

async function differencesOf(admin: Admin, plan: TopicPlan): Promise<string[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [plan.topic] });
  const partitions = topics[0]?.partitions.length ?? 0;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [
      { type: kafkajs.ConfigResourceTypes.TOPIC, name: plan.topic, configNames: Object.keys(plan.settings) },
    ],
  });
  const found = new Map(
    resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
  );
  const differing = Object.entries(plan.settings)
    .filter(([name, value]) => found.get(name) !== value)
    .map(([name, value]) => `${name} is ${found.get(name) ?? 'unset'}, not ${value}`);
  // More partitions change nothing for the worse, and Kafka could not take them back.
  return partitions < plan.partitions
    ? [`it has ${countOf(partitions)}, not ${plan.partitions}`, ...differing]
    : differing;
}

const countOf = (partitions: number): string => `${partitions} partition${partitions === 1 ? '' : 's'}`;
const listOf = (entries: Readonly<Record<string, string>>): string =>
  Object.entries(entries)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
