import { stackEnvironment } from './commands/stack-environment.js';
import type { Config } from './config-shape.js';
import { definedOnly } from './config-sources.js';
import { isLoopback } from './core/rest-key.js';

/**
 * The configuration as variables, so that a command which somebody else starts, elsewhere and later, reads the same one.
 * Without secrets, which go by files.
 */
export function settingsEnvironment(config: Config): Record<string, string> {
  const { kafka, postgres, spark, native } = config;
  const settings = {
    CRYPTOPIPE_MAVEN_URL: native.mavenUrl,
    CRYPTOPIPE_POSTGRES_BIN: native.postgresBin,
    CRYPTOPIPE_PYTHON: native.python,
    CRYPTO_API_URL: config.exchangeUrl,
    CRYPTO_ARCHIVE_URL: config.archiveUrl,
    CRYPTO_STREAM_URL: config.streamUrl,
    CRYPTO_SYMBOL: config.areSymbolsSet ? config.symbols.join(',') : undefined,
    CRYPTO_POLL_INTERVAL_MS: String(config.pollIntervalMs),
    KAFKA_TOPIC: kafka.topic,
    KAFKA_CLIENT_ID: kafka.clientId,
    PGSSLMODE: postgres.tls.mode === 'disable' ? undefined : postgres.tls.mode,
    PGSSLROOTCERT: postgres.tls.rootCertificate,
    POSTGRES_CLEAN_TABLE: postgres.cleanTable,
    POSTGRES_AGG_TABLE: postgres.barTable,
    // Another address passed the check only because somebody said so.
    CRYPTOPIPE_ALLOW_INSECURE_REST: isLoopback(spark.restUrl) ? undefined : 'true',
    CRYPTOPIPE_SPARK_JARS: spark.jars?.join(','),
    CRYPTOPIPE_JOBS_DIR: config.jobsDir,
    CRYPTOPIPE_ALARM_COMMAND: config.alarmCommand,
    PYSPARK_PYTHON: spark.python,
    HADOOP_USER_NAME: config.hdfs.isUserSet ? config.hdfs.user : undefined,
    ...proxiesOf(config),
    ...stackEnvironment(config),
  };
  return definedOnly(settings) as Record<string, string>;
}

/** Without those that hold a login, which is a secret. */
function proxiesOf({ environment }: Config): Record<string, string | undefined> {
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY'];
  return Object.fromEntries(
    names.map((name) => {
      const value = environment[name] ?? environment[name.toLowerCase()];
      return [name, value?.includes('@') === true ? undefined : value];
    }),
  );
}
