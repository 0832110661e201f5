import { passFileOf } from '../core/settings.js';

/** The part of the configuration that says where the servers are. */
interface Addresses {
  readonly stack: string;
  readonly kafka: { readonly brokers: readonly string[]; readonly clusterBrokers: string };
  readonly hdfs: { readonly webUrl: string; readonly rawPath: string; readonly cleanPath: string };
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
    readonly jdbcUrl: string;
  };
  readonly spark: { readonly restUrl: string; readonly uiUrl: string; readonly masterUrl: string };
  readonly native: { readonly portOffset: number; readonly dataDir: string; readonly cacheDir: string };
}

/**
 * The variables with which every command of ours, and tools such as psql, see this stack. No password, since what is
 * printed ends in a log: ours comes from the configuration, psql's from a file that only its owner may read.
 */
export function stackEnvironment(config: Addresses): Record<string, string> {
  return {
    CRYPTOPIPE_STACK: config.stack,
    CRYPTOPIPE_PORT_OFFSET: String(config.native.portOffset),
    CRYPTOPIPE_DATA_DIR: config.native.dataDir,
    CRYPTOPIPE_CACHE_DIR: config.native.cacheDir,
    KAFKA_BOOTSTRAP_SERVERS: config.kafka.brokers.join(','),
    CRYPTOPIPE_CLUSTER_KAFKA: config.kafka.clusterBrokers,
    WEBHDFS_URL: config.hdfs.webUrl,
    HDFS_RAW_PATH: config.hdfs.rawPath,
    HDFS_CLEAN_PATH: config.hdfs.cleanPath,
    PGHOST: config.postgres.host,
    PGPORT: String(config.postgres.port),
    PGDATABASE: config.postgres.database,
    PGUSER: config.postgres.user,
    PGPASSFILE: passFileOf(config.native.dataDir),
    POSTGRES_USER: config.postgres.user,
    POSTGRES_JDBC_URL: config.postgres.jdbcUrl,
    SPARK_REST_URL: config.spark.restUrl,
    SPARK_UI_URL: config.spark.uiUrl,
    SPARK_MASTER_URL: config.spark.masterUrl,
  };
}
