import type { Admin, ConfigEntries, ITopicConfig, ITopicMetadata } from 'kafkajs';
import { UnreachableError } from '../core/errors.js';
import { loadKafkajs, type KafkaOptions } from './kafka-client.js';
import { systemClock } from './system-clock.js';

interface TopicPlan {
  readonly topic: string;
  readonly partitions: number;
  readonly settings: Readonly<Record<string, string>>;
  /** Whether one that is there with other settings is altered; else the difference is told. */
  readonly isAltered?: boolean;
}

const minuteMs = 60_000;
const sevenDaysMs = 7 * 24 * 60 * minuteMs;

/**
 * The topics of the pipeline. Messages carry the time of their arrival: with the trade's own time Kafka would delete a replayed
 * old tape at its first retention check, and refuse a clock that runs ahead.
 */
export const plansOf = (options: KafkaOptions): TopicPlan[] => [
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
    // It is read from its beginning, so it must stay small: a segment is compacted only when the next one is begun.
    settings: {
      'cleanup.policy': 'compact',
      'message.timestamp.type': 'LogAppendTime',
      'segment.ms': String(5 * minuteMs),
      'segment.bytes': String(1024 * 1024),
      'min.cleanable.dirty.ratio': '0.01',
      'max.compaction.lag.ms': String(5 * minuteMs),
      'delete.retention.ms': String(10 * minuteMs),
    },
    isAltered: true,
  },
];

/** Makes a topic that is missing; returns one line on what was done, or would be. */
export async function ensureTopic(admin: Admin, plan: TopicPlan, isDryRun: boolean): Promise<string> {
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
  const found = await describeTopic(admin, plan);
  const { partitions, settings } = differencesOf(plan, found);
  if (plan.isAltered && settings.length > 0) {
    if (!isDryRun) await alterTopic(admin, plan, found);
    return `${plan.topic}: is there and ${isDryRun ? 'would be' : 'is'} altered, since ${settings.join('; ')}`;
  }
  const differences = [...partitions, ...settings];
  return differences.length === 0
    ? `${plan.topic}: is there`
    : `${plan.topic}: is there and is left as it is, but ${differences.join('; ')}`;
}

/** A new topic is known to the controller before the broker answers for it; on a busy computer that takes seconds. */
async function waitForLeaders(admin: Admin, topic: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] }).catch(noMetadata);
    if (topics[0]?.partitions.every(({ leader }) => leader >= 0) === true) return;
    await systemClock.sleep(200);
  }
  throw new UnreachableError(`${topic} has partitions without a leader`, {
    nextStep: '`cryptopipe stack logs kafka` shows why, where it is the stack that runs here.',
  });
}

const noMetadata = (error: unknown): { readonly topics: ITopicMetadata[] } => {
  if ((error as { readonly retriable?: boolean }).retriable === true) return { topics: [] };
  throw error;
};

interface FoundTopic {
  readonly partitions: number;
  /** Every setting by its name, the broker's defaults too. */
  readonly settings: ReadonlyMap<string, string>;
  /** Those that were set for the topic itself. */
  readonly own: ReadonlyMap<string, string>;
}

async function describeTopic(admin: Admin, { topic: name }: TopicPlan): Promise<FoundTopic> {
  const { ConfigResourceTypes, ConfigSource } = await loadKafkajs();
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name }],
  });
  const entries = resources[0]?.configEntries ?? [];
  const values = (some: readonly ConfigEntries[]): ReadonlyMap<string, string> =>
    new Map(some.map(({ configName, configValue }) => [configName, configValue]));
  return {
    partitions: topics[0]?.partitions.length ?? 0,
    settings: values(entries),
    own: values(entries.filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG)),
  };
}

/** More partitions change nothing for the worse, and Kafka could not take them back. */
function differencesOf(
  plan: TopicPlan,
  { partitions, settings }: FoundTopic,
): { readonly partitions: readonly string[]; readonly settings: readonly string[] } {
  return {
    partitions: partitions < plan.partitions ? [`it has ${countOf(partitions)}, not ${plan.partitions}`] : [],
    settings: Object.entries(plan.settings)
      .filter(([name, value]) => settings.get(name) !== value)
      .map(([name, value]) => `${name} is ${settings.get(name) ?? 'unset'}, not ${value}`),
  };
}

/** kafkajs speaks AlterConfigs alone, which resets every setting that it does not name: the topic's others are named again. */
async function alterTopic(admin: Admin, { topic, settings }: TopicPlan, { own }: FoundTopic): Promise<void> {
  const { ConfigResourceTypes } = await loadKafkajs();
  const configEntries = Object.entries({ ...Object.fromEntries(own), ...settings }).map(([name, value]) => ({
    name,
    value,
  }));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
  });
}

const countOf = (partitions: number): string => `${partitions} partition${partitions === 1 ? '' : 's'}`;
const listOf = (entries: Readonly<Record<string, string>>): string =>
  Object.entries(entries)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
