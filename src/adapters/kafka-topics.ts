import type { Admin, ITopicConfig, Kafka } from 'kafkajs';
import pRetry from 'p-retry';
import type { Topics } from '../core/ports/topic.js';
import {
  bounded,
  closeQuietly,
  kafkaClient,
  loadKafkajs,
  requireTopics,
  whileRetriable,
  type KafkaOptions,
} from './kafka-client.js';
import { readCursors } from './kafka-cursors.js';

interface Opened {
  readonly kafka: Kafka;
  readonly admin: Admin;
}

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
  let opened: Promise<Opened> | undefined;
  const connected = (): Promise<Opened> => (opened ??= connect(options));
  return {
    ensure: ({ isDryRun = false } = {}) =>
      bounded(options, 'make its topics', async () => {
        const { admin } = await connected();
        const lines: string[] = [];
        for (const plan of plansOf(options)) lines.push(await ensureTopic(admin, plan, isDryRun));
        return lines;
      }),
    offsets: (topic) =>
      bounded(options, 'tell its offsets', async () => {
        const { admin } = await connected();
        await requireTopics(options, admin, [topic]);
        const offsets = await whileRetriable(() => admin.fetchTopicOffsets(topic));
        return offsets
          .map(({ partition, low, high }) => ({ partition, earliest: BigInt(low), latest: BigInt(high) }))
          .sort((left, right) => left.partition - right.partition);
      }),
    cursors: () =>
      bounded(options, 'give the cursors back', async () => {
        const { admin, kafka } = await connected();
        if (!(await admin.listTopics()).includes(options.cursorTopic)) return [];
        return readCursors(kafka, admin, options.cursorTopic);
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

async function ensureTopic(admin: Admin, plan: TopicPlan, isDryRun: boolean): Promise<string> {
  const topic: ITopicConfig = {
    topic: plan.topic,
    numPartitions: plan.partitions,
    replicationFactor: -1,
    configEntries: Object.entries(plan.settings).map(([name, value]) => ({ name, value })),
  };
  const isMissing = !(await admin.listTopics()).includes(plan.topic);
  const isNew =
    isMissing && (isDryRun || (await admin.createTopics({ topics: [topic], waitForLeaders: false })));
  if (!isDryRun) await waitForLeaders(admin, plan.topic);
  const made = isDryRun ? 'would be made' : 'made';
  if (isNew) return `${plan.topic}: ${made}, ${countOf(plan.partitions)}, ${listOf(plan.settings)}`;
  const differences = await differencesOf(admin, plan);
  return differences.length === 0
    ? `${plan.topic}: is there`
    : `${plan.topic}: is there and is left as it is, but ${differences.join('; ')}`;
}

/** A new topic is known to the controller before the broker answers for it; on a busy computer that takes seconds. */
async function waitForLeaders(admin: Admin, topic: string): Promise<void> {
  await pRetry(
    async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      if (topics[0]?.partitions.every(({ leader }) => leader >= 0) !== true)
        throw new Error(`${topic} has partitions without a leader`);
    },
    { retries: 100, minTimeout: 200, factor: 1 },
  );
}

async function differencesOf(admin: Admin, plan: TopicPlan): Promise<string[]> {
  const { ConfigResourceTypes } = await loadKafkajs();
  const { topics } = await admin.fetchTopicMetadata({ topics: [plan.topic] });
  const partitions = topics[0]?.partitions.length ?? 0;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [
      { type: ConfigResourceTypes.TOPIC, name: plan.topic, configNames: Object.keys(plan.settings) },
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
