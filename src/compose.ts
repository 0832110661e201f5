import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { archiveTrades } from './adapters/archive-trades.js';
import type { ArchiveSource } from './adapters/binance-archive-source.js';
import { binanceArchiveKlines } from './adapters/binance-archive-klines.js';
import { binanceRest } from './adapters/binance-rest.js';
import { WeightBudget } from './adapters/binance-weight.js';
import { binanceStream } from './adapters/binance-stream.js';
import { readCatalogue, requireSound } from './adapters/job-catalogue.js';
import { readDiskSpace } from './adapters/disk-space.js';
import { createNameNodeState } from './adapters/namenode-state.js';
import { kafkaSink } from './adapters/kafka-sink.js';
import { kafkaTopics } from './adapters/kafka-topics.js';
import { textFiles } from './adapters/text-files.js';
import { createParquetLake } from './adapters/parquet-lake.js';
import { createBarStore } from './adapters/postgres-bars.js';
import { createDashboardData } from './adapters/postgres-dashboard.js';
import type { Patience } from './adapters/patience.js';
import { createReconciliations } from './adapters/postgres-reconciliations.js';
import { createPostgresRuns } from './adapters/postgres-runs.js';
import { createSchema } from './adapters/postgres-schema.js';
import { createTradeDays } from './adapters/postgres-trade-days.js';
import { createPool, readWarehouseState } from './adapters/postgres.js';
import { localFiles } from './adapters/local-files.js';
import { newRunId } from './adapters/run-id.js';
import { mintToken } from './adapters/jws.js';
import { readRestKey } from './adapters/rest-key.js';
import { createSparkCluster } from './adapters/spark-cluster.js';
import { createWorkerLogs } from './adapters/spark-worker-logs.js';
import { systemClock } from './adapters/system-clock.js';
import { createTemplateInspector } from './adapters/template-inspector.js';
import { createTemplateStore } from './adapters/templates.js';
import { createTextChecker } from './adapters/text-checker.js';
import { createWebHdfs } from './adapters/webhdfs.js';
import type { App, Folders } from './app-shape.js';
import type { Config } from './config.js';
import { settingsEnvironment } from './config-environment.js';
import { currentUser } from './current-user.js';
import { lazily } from './lazily.js';
import { connectionValues } from './core/connection-values.js';
import type { Background } from './core/ports/background.js';
import type { Catalogue, TextChecker } from './core/ports/check.js';
import type { PageServer } from './core/ports/dashboard.js';
import type { Exchange, ExchangeWait } from './core/ports/exchange.js';
import type { SandboxFactory } from './core/ports/sandbox.js';
import type { Stack } from './core/ports/stack.js';
import { Outages } from './core/outages.js';
import { restKeyFileOf } from './core/rest-key.js';
import { withoutSecrets, type KnownSecret } from './core/secrets.js';
import type { ClusterView } from './core/submission.js';
import { createHttpClient, type HttpClient } from './http/http-client.js';
import { findInstallation, readInstallation } from './stack/install/installation.js';
import type { StackSettings } from './stack/settings.js';

export type { App } from './app-shape.js';

/** The Spark that the templates are written for, and that both stacks run. */
const sparkVersion = '4.2.0';

/** A command that somebody waits for gives up after so long; a limit of the minute is still waited out. */
const interactivePatienceMs = 90_000;

/** A statement of the page takes milliseconds; one that takes seconds is asked again. */
const pageStatementTimeoutMs = 5_000;

/** The folder that holds templates, SQL steps and scripts. */
const projectRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

export interface AppOptions {
  /** For how long the clients of HDFS, PostgreSQL and Spark try again, ms; without it each call is made once. */
  readonly serverPatienceMs?: number;
}

/** The only place that knows both the ports and the adapters behind them. */
export function createApp(config: Config, { serverPatienceMs }: AppOptions = {}): App {
  const closers: (() => Promise<void>)[] = [];
  const closing = <T extends { close(): Promise<void> }>(opened: T): T => {
    closers.push(() => opened.close());
    return opened;
  };
  const outages = new Outages();
  const patience: Patience | undefined =
    serverPatienceMs === undefined
      ? undefined
      : { clock: systemClock, outages, giveUpAfterMs: serverPatienceMs };
  const waitListeners = new Set<(wait: ExchangeWait) => void>();
  const openPool = (statementTimeoutMs?: number) => {
    const pool = createPool(config.postgres, statementTimeoutMs, patience);
    closers.push(() => pool.end());
    return pool;
  };
  const network = lazily<{ http: HttpClient }>({ http: () => createHttpClient(config.environment) });
  const exchangeOf = (giveUpAfterMs: number): Exchange => {
    const { budget } = shared;
    const { exchangeUrl: baseUrl } = config;
    return binanceRest({ baseUrl, client: network.http, clock: systemClock, budget, outages, giveUpAfterMs });
  };
  const archiveSource = (): ArchiveSource => ({
    url: config.archiveUrl,
    http: network.http,
    patience: { clock: systemClock, outages, giveUpAfterMs: interactivePatienceMs },
  });
  const shared = lazily({
    budget: () =>
      new WeightBudget(systemClock, (wait) => waitListeners.forEach((listener) => listener(wait))),
    pool: () => openPool(),
    quickPool: () => openPool(pageStatementTimeoutMs),
    files: () => createWebHdfs({ ...config.hdfs, http: network.http, patience: patience }),
    catalogue: () => catalogueOf(config),
  });
  return lazily<App>({
    config: () => config,
    newRunId: () => newRunId,
    clock: () => systemClock,
    close: () => async () => {
      await Promise.allSettled(closers.splice(0).map((close) => close()));
    },
    outages: () => outages,
    exchange: () => exchangeOf(interactivePatienceMs),
    patientExchange: () => exchangeOf(Infinity),
    archive: () => archiveTrades(archiveSource()),
    onExchangeWait: () => (listener) => {
      waitListeners.add(listener);
      return () => waitListeners.delete(listener);
    },
    stream: () => binanceStream({ baseUrl: config.streamUrl, http: network.http }),
    producer: () => ({
      ...{ id: randomUUID(), clientId: config.kafka.clientId, host: hostname(), pid: process.pid },
    }),
    topics: () => closing(kafkaTopics(config.kafka, { clock: systemClock, outages: outages })),
    sink: () => closing(kafkaSink(config.kafka)),
    klineArchive: () => binanceArchiveKlines(archiveSource()),
    reconciliations: () => createReconciliations(shared.pool),
    // A pool of its own: a page that waits longer for one statement is stale anyway.
    dashboardData: () => createDashboardData(shared.quickPool),
    pageServer: () => lazyPageServer(config),
    barStore: () => createBarStore(shared.pool),
    schema: () => createSchema(shared.pool, config.postgres),
    tradeDays: () => createTradeDays(shared.pool),
    book: () => createPostgresRuns(shared.pool),
    templates: () => createTemplateStore(projectRoot, checkFoldersOf(config)),
    templateInspector: () => createTemplateInspector(projectRoot, checkFoldersOf(config)),
    textChecker: () => textCheckerOf(config),
    textFiles: () => textFiles,
    catalogue: () => shared.catalogue,
    jobs: () => requireSound(shared.catalogue),
    submittedBy: () => `${currentUser(config.environment).name}@${hostname()}`,
    files: () => shared.files,
    secrets: () => secretsOf(config),
    hdfsState: () => createNameNodeState(config.hdfs.webUrl, network.http),
    warehouseState: () => () => readWarehouseState(shared.pool),
    disks: () => () => readDiskSpace([config.native.dataDir]),
    localFiles: () => localFiles,
    lake: () => createParquetLake(shared.files),
    folders: () => foldersOf(config),
    spark: () => {
      const { restUrl, restKeyFile: keyFile, uiUrl } = config.spark;
      return createSparkCluster({
        restUrl,
        uiUrl,
        restAccess: { token: tokenMaker(config, keyFile), keyFile },
        http: network.http,
        patience: patience,
      });
    },
    workerLogs: () => createWorkerLogs(network.http),
    clusterView: () => clusterViewOf(config),
    nativeInstallation: () => readInstallation(config.native.dataDir),
    sandbox: () => sandbox,
    stack: () => lazyStack(config),
    background: () => lazyBackground(stackSettings(config)),
  });
}

function foldersOf({ hdfs }: Config): Folders {
  const pathOf = (address: string): string => new URL(address).pathname;
  return {
    raw: pathOf(hdfs.rawPath),
    clean: pathOf(hdfs.cleanPath),
    rejected: pathOf(hdfs.rejectedPath),
    checkpoints: '/checkpoints',
    jobs: '/jobs',
  };
}

/** A user's own checks of the data lie beside the jobs. */
function checkFoldersOf({ jobsDir }: Config): string[] {
  return jobsDir === undefined ? [] : [join(jobsDir, 'checks')];
}

function catalogueOf({ kafka, hdfs, postgres, jobsDir }: Config): Catalogue {
  const connection = connectionValues({
    kafkaServers: kafka.clusterBrokers,
    topic: kafka.topic,
    hdfsRoot: hdfs.root,
    rawPath: hdfs.rawPath,
    cleanPath: hdfs.cleanPath,
    rejectedPath: hdfs.rejectedPath,
    jdbcUrl: postgres.jdbcUrl,
    postgresUser: postgres.user,
    postgresTls: postgres.jobTls,
  });
  return readCatalogue(
    [join(projectRoot, 'templates'), ...(jobsDir === undefined ? [] : [jobsDir])],
    connection,
  );
}

/** A key that is set stands above the one in the file, which may not be there yet. */
const restKeyOf = ({ spark }: Config, keyFile: string | undefined): string | undefined =>
  spark.restKey ?? (keyFile === undefined ? undefined : readRestKey(keyFile));

/** A new token for each call. */
function tokenMaker(config: Config, keyFile: string | undefined): () => string | undefined {
  return () => {
    const key = restKeyOf(config, keyFile);
    return key === undefined ? undefined : mintToken(key);
  };
}

/** Those that were set, and the key that the native stack made. */
function secretsOf(config: Config): readonly KnownSecret[] {
  const { restKey, restKeyFile } = config.spark;
  const made = restKey === undefined ? restKeyOf(config, restKeyFile) : undefined;
  return [...config.secrets, ...(made === undefined ? [] : [{ name: 'SPARK_REST_KEY', value: made }])];
}

function clusterViewOf(config: Config): ClusterView {
  const native = config.stack === 'native';
  const jars = config.spark.jars ?? readInstallation(config.native.dataDir).sparkJars;
  const python = config.spark.python ?? readInstallation(config.native.dataDir).python;
  const driverUiPort = native ? config.native.ports.driverUi : undefined;
  const hadoopUser = config.hdfs.isUserSet ? config.hdfs.user : undefined;
  return { masterUrl: config.spark.masterUrl, sparkVersion, jars, python, driverUiPort, hadoopUser };
}

/** Where no stack is installed, Python may be there all the same, and Spark where SPARK_HOME says. */
function textCheckerOf({ environment, native }: Config): TextChecker {
  const installed = findInstallation(native.dataDir);
  return createTextChecker({
    scripts: join(projectRoot, 'scripts'),
    environment,
    python: installed?.python ?? native.python,
    sparkHome: installed?.sparkHome ?? environment['SPARK_HOME'],
    cacheDir: native.cacheDir,
  });
}

/** Loaded on first use: no other command needs a server or an archive reader. */
const sandbox: SandboxFactory = {
  start: async (options) => (await import('./sandbox/start-sandbox.js')).startSandbox(options),
  writeTape: async (options) => (await import('./sandbox/tapes/write-archive.js')).writeTape(options),
};

/** Loaded on first use, as above. The page's files lie beside the built program, wherever this file runs. */
function lazyPageServer(config: Config): PageServer {
  const server = async (): Promise<PageServer> =>
    (await import('./dashboard/page-server.js')).createPageServer({
      folder: join(projectRoot, 'dist', 'page'),
      clean: (text) => withoutSecrets(config.secrets, text),
    });
  return {
    start: async (options) => (await server()).start(options),
    probe: async (port, signal) => (await server()).probe(port, signal),
  };
}

/** Loaded on first use, as above: the servers bring the clients with which they are asked. */
function lazyStack(config: Config): Stack {
  const settings = stackSettings(config);
  const stack = async (): Promise<Stack> =>
    config.stack === 'docker'
      ? (await import('./stack/docker/docker-stack.js')).createDockerStack(settings, projectRoot)
      : (await import('./stack/native-stack.js')).createNativeStack(settings, readDiskSpace);
  return {
    install: async (call) => (await stack()).install(call),
    up: async (call) => (await stack()).up(call),
    down: async (call) => (await stack()).down(call),
    status: async () => (await stack()).status(),
    logTail: async (name, lines) => (await stack()).logTail(name, lines),
  };
}

function lazyBackground(settings: StackSettings): Background {
  const background = async (): Promise<Background> =>
    (await import('./stack/background.js')).createBackground(settings);
  return {
    start: async (start) => (await background()).start(start),
    stop: async (name, timeoutMs) => (await background()).stop(name, timeoutMs),
    list: async () => (await background()).list(),
    resume: async (signal) => (await background()).resume(signal),
  };
}

/** What the stacks need of the configuration. */
export function stackSettings(config: Config): StackSettings {
  const { native, environment, postgres, hdfs, spark } = config;
  return {
    ...native,
    environment,
    postgres,
    hdfsUser: hdfs.user,
    sparkRest: { key: spark.restKey, token: tokenMaker(config, restKeyFileOf(native.dataDir)) },
    tasks: { environment: settingsEnvironment(config), secrets: config.secrets },
    program: fileURLToPath(new URL('./main.js', import.meta.url)),
    supervisor: fileURLToPath(new URL('./stack/supervise.js', import.meta.url)),
  };
}
