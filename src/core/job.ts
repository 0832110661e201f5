import { ConfigError, UsageError } from './errors.js';
import type { JobParameter } from './job-parameters.js';
import { nearest } from './suggestion.js';

/** What a job takes of the cluster; memory as Spark writes it (`1g`). */
interface JobResources {
  readonly driverCores: number;
  readonly driverMemory: string;
  readonly executorCores: number;
  readonly executorMemory: string;
  /** All executors together: without a limit an application takes every core there is. */
  readonly coresMax: number;
}

/** A template plus typed parameters, and what it needs to run. */
export interface Job {
  readonly name: string;
  readonly meaning: string;
  /** The application's name is this, a dash and the run id. */
  readonly appName: string;
  readonly template: string;
  /** True where at most one run may live. */
  readonly single: boolean;
  readonly parameters: readonly JobParameter[];
  readonly resources: JobResources;
  readonly sparkSettings: Readonly<Record<string, string>>;
}

/** Where the servers are, as the cluster sees them: the defaults of the jobs' parameters. */
export interface JobDefaults {
  readonly kafkaServers: string;
  readonly topic: string;
  readonly hdfsRoot: string;
  readonly rawPath: string;
  readonly cleanPath: string;
  readonly rejectedPath: string;
  readonly jdbcUrl: string;
  readonly postgresUser: string;
}

/** Small values, for many small micro-batches on few cores; UI history bounded, or a stream fills its driver. */
const streamSettings = {
  'spark.sql.shuffle.partitions': '2',
  'spark.sql.session.timeZone': 'UTC',
  'spark.sql.decimalOperations.allowPrecisionLoss': 'false',
  'spark.locality.wait': '0s',
  'spark.scheduler.mode': 'FAIR',
  // Batches make garbage by the gigabyte and are done in seconds: throughput counts, not the length of a pause.
  'spark.executor.extraJavaOptions': '-XX:+UseParallelGC',
  // A file is closed when the NameNode has heard of its last block. HDFS's client asks again after 400 ms, then 800 and so on
  // (hdfs-default.xml), which each batch pays twice for its two small files; from 10 ms on, doubled as often, it waits as long in all.
  'spark.hadoop.dfs.client.block.write.locateFollowingBlock.initial.delay.ms': '10',
  'spark.hadoop.dfs.client.block.write.locateFollowingBlock.retries': '11',
  'spark.ui.showConsoleProgress': 'false',
  'spark.ui.retainedJobs': '200',
  'spark.ui.retainedStages': '200',
  'spark.sql.ui.retainedExecutions': '100',
  // The driver's log is never rolled: at INFO two batches a second would fill the disk.
  'spark.log.level': 'WARN',
};

/** Host, port and database of `jdbc:postgresql://host[:port]/database[?…]`. */
export function parseJdbcUrl(url: string): {
  readonly host: string;
  readonly port: number;
  readonly database: string;
} {
  const [, host, port, database] =
    /^jdbc:postgresql:\/\/(\[[0-9a-fA-F:]+\]|[^/:]+)(?::(\d+))?\/([^?]+)/.exec(url) ?? [];
  if (host === undefined || database === undefined)
    throw new ConfigError(`POSTGRES_JDBC_URL ${url} is not jdbc:postgresql://host:port/database`, {
      nextStep: 'Name one host; the job connects to the first and only one.',
    });
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? 5432), database };
}

function lakeParameters(defaults: JobDefaults): JobParameter[] {
  const schemes = ['hdfs', 'file'];
  const folder = (name: string, path: string, meaning: string): JobParameter => ({
    name,
    type: 'url',
    schemes,
    default: path,
    meaning,
  });
  return [
    folder('raw_path', defaults.rawPath, 'where the raw records go'),
    folder('clean_path', defaults.cleanPath, 'where the typed trades go'),
    folder('rejected_path', defaults.rejectedPath, 'where messages that were rejected go'),
    folder(
      'checkpoint_path',
      `${defaults.hdfsRoot}/checkpoints/streaming`,
      'what the two queries remember of their progress',
    ),
  ];
}

function warehouseParameters(defaults: JobDefaults): JobParameter[] {
  const { host, port, database } = parseJdbcUrl(defaults.jdbcUrl);
  return [
    { name: 'postgres_host', type: 'text', default: host, meaning: 'PostgreSQL, as the job sees it' },
    { name: 'postgres_port', type: 'integer', min: 1, max: 65535, default: port, meaning: 'its port' },
    { name: 'postgres_database', type: 'text', default: database, meaning: 'its database' },
    {
      name: 'postgres_user',
      type: 'text',
      default: defaults.postgresUser,
      meaning: 'its user; the password is read on the worker',
    },
  ];
}

const amount = (name: string, value: number, min: number, max: number, meaning: string): JobParameter => ({
  name,
  type: 'integer',
  default: value,
  min,
  max,
  meaning,
});

/** `CryptoStreamingJob`: one application, a hot query into PostgreSQL and a lake query into HDFS. */
function streamingJob(defaults: JobDefaults): Job {
  return {
    name: 'streaming',
    meaning: 'the topic into minute bars (PostgreSQL) and Parquet (HDFS)',
    appName: 'CryptoStreamingJob',
    template: 'streaming',
    single: true,
    parameters: [
      {
        name: 'kafka_bootstrap_servers',
        type: 'text',
        pattern: /^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/,
        default: defaults.kafkaServers,
        meaning: 'Kafka, as the job sees it',
      },
      {
        name: 'topic',
        type: 'text',
        pattern: /^[a-zA-Z0-9._-]{1,200}$/,
        default: defaults.topic,
        meaning: 'topic of the ticks',
      },
      ...lakeParameters(defaults),
      ...warehouseParameters(defaults),
      amount('hot_interval_ms', 500, 0, 3_600_000, 'pause between two batches of the hot query'),
      amount('lake_interval_ms', 60_000, 1000, 86_400_000, 'pause between two batches of the lake query'),
      amount('max_offsets_per_trigger', 200_000, 1, 1_000_000, 'messages that one batch takes at most'),
      {
        name: 'mode',
        type: 'choice',
        choices: ['continuous', 'available-now'],
        default: 'continuous',
        meaning: 'available-now works off what is in the topic and ends',
      },
    ],
    resources: {
      driverCores: 1,
      driverMemory: '1g',
      executorCores: 2,
      executorMemory: '1g',
      coresMax: 2,
    },
    sparkSettings: streamSettings,
  };
}

/** Every job that can be rendered and submitted. */
export function allJobs(defaults: JobDefaults): readonly Job[] {
  return [streamingJob(defaults)];
}

/** @throws UsageError with a suggestion where there is no such job. */
export function findJob(name: string, jobs: readonly Job[]): Job {
  const job = jobs.find((candidate) => candidate.name === name);
  if (job !== undefined) return job;
  const names = jobs.map((candidate) => candidate.name);
  const meant = nearest(name, names);
  throw new UsageError(`There is no job ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`, {
    nextStep: `Known jobs: ${names.join(', ')}.`,
  });
}
