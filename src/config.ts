import { join, resolve } from 'node:path';
import { z } from 'zod';
import { jdbcParameters } from './core/connection-values.js';
import { ConfigError } from './core/errors.js';
import {
  definedOnly,
  inheritedEnvironment,
  openSecretFiles,
  readEnvFile,
  readSecretFiles,
  secretsIn,
  type Environment,
} from './config-sources.js';
import type { Config, ConfigFlags } from './config-shape.js';
import { followAddresses, type Followed } from './config-addresses.js';
import {
  archive,
  brokerList,
  hdfsUrl,
  jdbcUrl,
  oneHost,
  optional,
  port,
  restKey,
  restUrl,
  sslMode,
  streamUrl,
  symbolList,
  tableName,
  url,
  wholeNumber,
} from './config-values.js';
import { currentUser } from './current-user.js';
import { basePorts, dockerPorts, type PortName, type Ports } from './core/settings.js';
import { dockerRestKeyFileOf, isLoopback, restKeyFileOf } from './core/rest-key.js';
import { archiveUrlOf, streamUrlOf } from './core/exchange-hosts.js';

export type { Config, ConfigFlags } from './config-shape.js';

function defaultFolder(env: Environment, xdgName: string, homePart: string, rootFolder: string): string {
  const base = env[xdgName];
  if (base !== undefined && base !== '') return join(base, 'cryptopipe');
  const { isRoot, home } = currentUser(env);
  return isRoot ? rootFolder : join(home, homePart, 'cryptopipe');
}

function schemaFor(env: Environment, ports: Ports) {
  return z.object({
    CRYPTOPIPE_DATA_DIR: z
      .string()
      .default(defaultFolder(env, 'XDG_STATE_HOME', '.local/state', '/var/lib/cryptopipe'))
      .transform((path) => resolve(path)),
    CRYPTOPIPE_CACHE_DIR: z
      .string()
      .default(defaultFolder(env, 'XDG_CACHE_HOME', '.cache', '/var/cache/cryptopipe'))
      .transform((path) => resolve(path)),
    CRYPTOPIPE_MAVEN_URL: url.default('https://repo1.maven.org/maven2'),
    CRYPTOPIPE_POSTGRES_BIN: optional,
    CRYPTOPIPE_PYTHON: z.string().min(1).default('python3'),
    CRYPTO_API_URL: z
      .preprocess((value) => (value === 'sandbox' ? `http://127.0.0.1:${ports.sandbox}` : value), url)
      .default('https://api.binance.com'),
    CRYPTO_ARCHIVE_URL: archive.optional(),
    CRYPTO_STREAM_URL: streamUrl,
    CRYPTO_SYMBOL: symbolList.default(['BTCUSDT']),
    CRYPTO_POLL_INTERVAL_MS: wholeNumber(100, 3_600_000).default(5000),
    KAFKA_BOOTSTRAP_SERVERS: brokerList,
    CRYPTOPIPE_CLUSTER_KAFKA: brokerList,
    KAFKA_TOPIC: z
      .string()
      .regex(/^[a-zA-Z0-9._-]{1,200}$/, 'is not a topic name')
      .default('crypto_raw'),
    KAFKA_CLIENT_ID: z.string().min(1).default('cryptopipe'),
    HADOOP_USER_NAME: z
      .string()
      .regex(/^[^\s:/@]{1,255}$/, 'is not the name of a user')
      .optional(),
    WEBHDFS_URL: url,
    HDFS_RAW_PATH: hdfsUrl,
    HDFS_CLEAN_PATH: hdfsUrl,
    PGHOST: oneHost,
    PGPORT: port,
    PGDATABASE: z.string().min(1),
    PGSSLMODE: sslMode.optional(),
    PGSSLROOTCERT: optional,
    POSTGRES_JDBC_URL: jdbcUrl,
    POSTGRES_USER: z.string().min(1).default('crypto'),
    POSTGRES_PASSWORD: z.string().min(1).default('crypto'),
    POSTGRES_READER_PASSWORD: z.string().min(1).optional(),
    POSTGRES_CLEAN_TABLE: tableName.default('crypto.crypto_prices_clean'),
    POSTGRES_AGG_TABLE: tableName.default('crypto.crypto_prices_agg_1min'),
    SPARK_REST_URL: restUrl(env['CRYPTOPIPE_ALLOW_INSECURE_REST'] === 'true'),
    SPARK_REST_KEY: restKey,
    CRYPTOPIPE_ALLOW_INSECURE_REST: z.enum(['true', 'false']).optional(),
    SPARK_UI_URL: url,
    SPARK_MASTER_URL: z.string().regex(/^spark:\/\/.+/, 'is not spark://host:port'),
    CRYPTOPIPE_SPARK_JARS: optional,
    CRYPTOPIPE_JOBS_DIR: optional.transform((path) => (path === undefined ? undefined : resolve(path))),
    CRYPTOPIPE_ALARM_COMMAND: optional,
    PYSPARK_PYTHON: optional,
    HTTPS_PROXY: optional,
    HTTP_PROXY: optional,
    ALL_PROXY: optional,
    NO_PROXY: optional,
    AIRFLOW_ADMIN_PASSWORD: optional,
    GRAFANA_ADMIN_PASSWORD: optional,
  });
}

/** What docker-compose.yml publishes where; the native stack's ports move by the offset alone. */
const dockerPortSchema = z.object({
  CRYPTOPIPE_KAFKA_PORT: port.optional(),
  CRYPTOPIPE_NAMENODE_PORT: port.optional(),
  CRYPTOPIPE_WEBHDFS_PORT: port.optional(),
  CRYPTOPIPE_DATANODE_PORT: port.optional(),
  CRYPTOPIPE_SPARK_PORT: port.optional(),
  CRYPTOPIPE_SPARK_REST_PORT: port.optional(),
  CRYPTOPIPE_SPARK_UI_PORT: port.optional(),
  CRYPTOPIPE_WORKER_UI_PORT: port.optional(),
  CRYPTOPIPE_DRIVER_UI_PORT: port.optional(),
  CRYPTOPIPE_SECOND_DRIVER_UI_PORT: port.optional(),
  CRYPTOPIPE_AIRFLOW_PORT: port.optional(),
  CRYPTOPIPE_GRAFANA_PORT: port.optional(),
});

const firstSchema = z.object({
  CRYPTOPIPE_STACK: z.enum(['native', 'docker']).default('native'),
  CRYPTOPIPE_PORT_OFFSET: wholeNumber(0, 50_000).default(0),
});

/** One line for each value that is wrong; of one that follows another setting, with that setting's name. */
function problemsOf(
  { error }: { readonly error?: z.ZodError | undefined },
  sources: Followed['sources'] = {},
): string[] {
  const issues = (error?.issues ?? []).map(({ path, message }) => ({ name: path.join('.'), message }));
  const wrong = new Set(issues.map(({ name }) => name));
  return issues.flatMap(({ name, message }) => {
    const source = sources[name];
    if (source === undefined) return [`${name}: ${message}`];
    return wrong.has(source) ? [] : [`${name} (which follows ${source}): ${message}`];
  });
}

type PublishedPorts = z.infer<typeof dockerPortSchema>;

function portsOf(portOffset: number, published: PublishedPorts): Ports {
  const names = Object.entries(dockerPorts) as [keyof PublishedPorts, PortName][];
  return Object.fromEntries([
    ...Object.entries(basePorts).map(([name, base]) => [name, base + portOffset]),
    ...names.flatMap(([name, port]) => (published[name] === undefined ? [] : [[port, published[name]]])),
  ]) as Ports;
}

/**
 * Reads every setting once: flag, then environment, then `.env`, then default.
 * @throws ConfigError that lists every problem in one message.
 */
export function loadConfig(flags: ConfigFlags, environment: Environment, envFilePath = '.env'): Config {
  const [problems, warnings] = [[] as string[], [] as string[]];
  const fromFlags = {
    CRYPTOPIPE_STACK: flags.docker === true ? 'docker' : undefined,
    CRYPTOPIPE_PORT_OFFSET: flags.portOffset,
    CRYPTOPIPE_DATA_DIR: flags.dataDir,
    CRYPTOPIPE_JOBS_DIR: flags.jobs,
    CRYPTO_API_URL: flags.exchange,
    CRYPTO_ARCHIVE_URL: flags.archive,
    CRYPTO_SYMBOL: flags.symbols,
    CRYPTO_POLL_INTERVAL_MS: flags.interval,
  };
  const envFile = readEnvFile(envFilePath, environment, { problems, warnings });
  // As in Compose an empty value of the environment hides the file's: then the default holds.
  const layered = definedOnly({ ...envFile, ...environment, ...definedOnly(fromFlags) });
  const env = readSecretFiles(layered, problems);
  const first = firstSchema.safeParse(env);
  const { CRYPTOPIPE_STACK: stack, CRYPTOPIPE_PORT_OFFSET: portOffset } = first.success
    ? first.data
    : { CRYPTOPIPE_STACK: 'native' as const, CRYPTOPIPE_PORT_OFFSET: 0 };
  const published = dockerPortSchema.safeParse(env);
  const ports = portsOf(portOffset, stack === 'docker' ? (published.data ?? {}) : {});
  const followed = followAddresses(env, { ports, isDocker: stack === 'docker' });
  const parsed = schemaFor(env, ports).safeParse({ ...followed.values, ...env });
  problems.push(...[first, published].flatMap((result) => problemsOf(result)));
  problems.push(...problemsOf(parsed, followed.sources), ...followed.problems);
  if (problems.length > 0 || !parsed.success) {
    throw new ConfigError(`The configuration is wrong:\n${problems.map((line) => `  ${line}`).join('\n')}`, {
      nextStep: 'Correct the settings named above; the README lists all of them with their meaning.',
    });
  }
  const areSymbolsSet = env['CRYPTO_SYMBOL'] !== undefined;
  return toConfig(parsed.data, {
    stack,
    portOffset,
    ports,
    environment: inheritedEnvironment(envFile, environment),
    areSymbolsSet,
    secrets: secretsIn(env),
    warnings: [...warnings, ...openSecretFiles(layered)],
  });
}

function toConfig(
  values: z.infer<ReturnType<typeof schemaFor>>,
  base: Pick<Config, 'stack' | 'environment' | 'areSymbolsSet' | 'secrets' | 'warnings'> & {
    readonly portOffset: number;
    readonly ports: Ports;
  },
): Config {
  const jars = values.CRYPTOPIPE_SPARK_JARS?.split(',').map((jar) => jar.trim());
  const root = new URL(values.HDFS_RAW_PATH);
  return deepFreeze({
    stack: base.stack,
    environment: { ...base.environment },
    secrets: base.secrets,
    warnings: base.warnings,
    symbols: values.CRYPTO_SYMBOL,
    areSymbolsSet: base.areSymbolsSet,
    pollIntervalMs: values.CRYPTO_POLL_INTERVAL_MS,
    exchangeUrl: values.CRYPTO_API_URL,
    archiveUrl: values.CRYPTO_ARCHIVE_URL ?? archiveUrlOf(values.CRYPTO_API_URL),
    streamUrl: values.CRYPTO_STREAM_URL ?? streamUrlOf(values.CRYPTO_API_URL),
    kafka: {
      brokers: values.KAFKA_BOOTSTRAP_SERVERS,
      clusterBrokers: values.CRYPTOPIPE_CLUSTER_KAFKA.join(','),
      topic: values.KAFKA_TOPIC,
      cursorTopic: 'cryptopipe_cursors',
      clientId: values.KAFKA_CLIENT_ID,
    },
    hdfs: {
      webUrl: values.WEBHDFS_URL,
      user:
        values.HADOOP_USER_NAME ?? (base.stack === 'docker' ? 'hadoop' : currentUser(base.environment).name),
      isUserSet: values.HADOOP_USER_NAME !== undefined,
      root: `hdfs://${root.host}`,
      rawPath: values.HDFS_RAW_PATH,
      cleanPath: values.HDFS_CLEAN_PATH,
      rejectedPath: `hdfs://${root.host}/datalake/rejected/crypto`,
    },
    postgres: {
      host: values.PGHOST,
      port: values.PGPORT,
      database: values.PGDATABASE,
      user: values.POSTGRES_USER,
      password: values.POSTGRES_PASSWORD,
      readerPassword: values.POSTGRES_READER_PASSWORD,
      jdbcUrl: values.POSTGRES_JDBC_URL,
      tls: { mode: values.PGSSLMODE ?? 'disable', rootCertificate: values.PGSSLROOTCERT },
      jobTls: jobTlsOf(values),
      cleanTable: values.POSTGRES_CLEAN_TABLE,
      barTable: values.POSTGRES_AGG_TABLE,
    },
    spark: {
      restUrl: values.SPARK_REST_URL,
      restKey: values.SPARK_REST_KEY,
      restKeyFile: isOwnRestServer(values.SPARK_REST_URL, base.ports)
        ? keyFileOf[base.stack](values.CRYPTOPIPE_DATA_DIR)
        : undefined,
      uiUrl: values.SPARK_UI_URL,
      masterUrl: values.SPARK_MASTER_URL,
      jars: jars ?? (base.stack === 'docker' ? [] : undefined),
      python: values.PYSPARK_PYTHON ?? (base.stack === 'docker' ? 'python3' : undefined),
    },
    jobsDir: values.CRYPTOPIPE_JOBS_DIR,
    alarmCommand: values.CRYPTOPIPE_ALARM_COMMAND,
    native: {
      portOffset: base.portOffset,
      ports: base.ports,
      dataDir: values.CRYPTOPIPE_DATA_DIR,
      cacheDir: values.CRYPTOPIPE_CACHE_DIR,
      mavenUrl: values.CRYPTOPIPE_MAVEN_URL,
      postgresBin: values.CRYPTOPIPE_POSTGRES_BIN,
      python: values.CRYPTOPIPE_PYTHON,
    },
  });
}

/** What the address names, else what holds for the command line. */
function jobTlsOf(values: z.infer<ReturnType<typeof schemaFor>>): Config['postgres']['jobTls'] {
  const parameters = jdbcParameters(values.POSTGRES_JDBC_URL);
  return {
    mode: parameters.get('sslmode') ?? values.PGSSLMODE,
    rootCertificate: parameters.get('sslrootcert') ?? values.PGSSLROOTCERT,
  };
}

const keyFileOf = { native: restKeyFileOf, docker: dockerRestKeyFileOf };

/** Another server never gets a token that the stack's would take. */
const isOwnRestServer = (restUrl: string, ports: Ports): boolean =>
  isLoopback(restUrl) && new URL(restUrl).port === String(ports.sparkRest);

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  return Object.freeze(value);
}
