import { fileURLToPath } from 'node:url';
import { systemClock } from './adapters/clock.js';
import { createBarStore } from './adapters/postgres-bars.js';
import { createPostgresRuns } from './adapters/postgres-runs.js';
import { createSchema } from './adapters/postgres-schema.js';
import { createPool } from './adapters/postgres.js';
import { newRunId } from './adapters/run-id.js';
import { createSparkCluster } from './adapters/spark-cluster.js';
import { createTemplateStore } from './adapters/templates.js';
import { createWebHdfs } from './adapters/webhdfs.js';
import type { Config } from './config.js';
import { ConfigError } from './core/errors.js';
import { allJobs, type Job } from './core/job.js';
import type { BarStore, Schema } from './core/ports/bars.js';
import type { Clock } from './core/ports/clock.js';
import type { FileStore } from './core/ports/files.js';
import type { RunBook } from './core/ports/runs.js';
import type { SandboxFactory } from './core/ports/sandbox.js';
import type { SparkCluster } from './core/ports/spark.js';
import type { TemplateStore } from './core/ports/templates.js';
import type { ClusterView } from './core/submission.js';

/** The Spark that the templates are written for, and that both stacks run. */
const sparkVersion = '4.2.0';

/** Everything behind a port, each built on first use. */
interface Adapters {
  readonly barStore: BarStore;
  readonly schema: Schema;
  readonly templates: TemplateStore;
  readonly jobs: readonly Job[];
  readonly files: FileStore;
  readonly spark: SparkCluster;
  readonly book: RunBook;
  readonly clock: Clock;
  readonly sandbox: SandboxFactory;
  /** What a submission must know of the workers. @throws ConfigError where neither a setting nor the stack says it. */
  readonly clusterView: ClusterView;
}

/** The real adapters for one configuration. */
export interface App extends Adapters {
  readonly config: Config;
  newRunId(): string;
  /** Closes what was opened; safe to call when nothing was. */
  close(): Promise<void>;
}

/** An object whose properties are built on first use and stay the same from then on. */
function lazily<T extends object>(makers: { readonly [K in keyof T]: () => T[K] }): T {
  const target = {} as T;
  for (const name of Object.keys(makers) as (keyof T)[]) {
    Object.defineProperty(target, name, {
      configurable: true,
      enumerable: true,
      get() {
        const value = makers[name]();
        Object.defineProperty(target, name, { value, enumerable: true });
        return value;
      },
    });
  }
  return target;
}

/** The only place that knows both the ports and the adapters behind them. */
export function createApp(config: Config): App {
  const closers: (() => Promise<void>)[] = [];
  const shared = lazily({
    pool: () => {
      const pool = createPool(config.postgres);
      closers.push(() => pool.end());
      return pool;
    },
  });
  return lazily<App>({
    config: () => config,
    newRunId: () => newRunId,
    close: () => async () => {
      for (const close of closers.splice(0).reverse()) await close();
    },
    barStore: () => createBarStore(shared.pool),
    schema: () => createSchema(shared.pool, config.postgres),
    book: () => createPostgresRuns(shared.pool),
    templates: () => createTemplateStore(fileURLToPath(new URL('..', import.meta.url))),
    jobs: () => jobsOf(config),
    files: () => createWebHdfs(config.hdfs),
    spark: () => createSparkCluster(config.spark),
    clock: () => systemClock,
    sandbox: () => sandbox,
    clusterView: () => clusterViewOf(config),
  });
}

function jobsOf(config: Config): readonly Job[] {
  return allJobs({
    kafkaServers: config.kafka.clusterBrokers,
    topic: config.kafka.topic,
    hdfsRoot: config.hdfs.root,
    rawPath: config.hdfs.rawPath,
    cleanPath: config.hdfs.cleanPath,
    rejectedPath: config.hdfs.rejectedPath,
    jdbcUrl: config.postgres.jdbcUrl,
    postgresUser: config.postgres.user,
  });
}

function clusterViewOf(config: Config): ClusterView {
  const { masterUrl, jars, python } = config.spark;
  if (jars === undefined || python === undefined)
    throw new ConfigError('It is not known which Python and which jars the workers have', {
      nextStep: 'Run `cryptopipe stack install`, or set PYSPARK_PYTHON and CRYPTOPIPE_SPARK_JARS.',
    });
  const driverUiPort = config.stack === 'native' ? config.native.ports.driverUi : undefined;
  return { masterUrl, sparkVersion, jars, python, driverUiPort };
}

/** Loaded on first use: no other command needs a server or an archive reader. */
const sandbox: SandboxFactory = {
  start: async (options) => (await import('./sandbox/start-sandbox.js')).startSandbox(options),
  writeTape: async (options) => (await import('./sandbox/tapes/write-archive.js')).writeTape(options),
};
