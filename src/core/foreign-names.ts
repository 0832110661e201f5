import { editDistance, nearest } from './suggestion.js';

/**
 * Names that other programs document and that may stand in the same `.env`: cryptopipe passes them to the programs that it starts.
 * A text that ends with `*` is a prefix.
 */
const foreignNames: Readonly<Record<string, readonly string[]>> = {
  'Docker and Compose': ['COMPOSE_*', 'DOCKER_*', 'BUILDKIT_*', 'BUILDX_*', 'SOURCE_DATE_EPOCH'],
  Airflow: ['AIRFLOW_*', '_AIRFLOW_*', '_PIP_ADDITIONAL_REQUIREMENTS'],
  Grafana: ['GF_*'],
  'images of PostgreSQL': ['POSTGRES_DB', 'POSTGRES_INITDB_ARGS', 'POSTGRES_HOST_AUTH_METHOD', 'PGDATA'],
  libpq: [
    ...['PGHOSTADDR', 'PGUSER', 'PGPASSWORD', 'PGPASSFILE', 'PGSERVICE', 'PGSERVICEFILE', 'PGOPTIONS'],
    ...['PGAPPNAME', 'PGSSLCERT', 'PGSSLKEY', 'PGSSLCRL', 'PGSSLCRLDIR', 'PGSSLCOMPRESSION'],
    ...['PGSSLNEGOTIATION', 'PGSSLSNI', 'PGSSLCERTMODE', 'PGSSLMINPROTOCOLVERSION'],
    ...['PGSSLMAXPROTOCOLVERSION', 'PGREQUIRESSL', 'PGREQUIREAUTH', 'PGREQUIREPEER'],
    ...['PGCHANNELBINDING', 'PGGSSENCMODE', 'PGGSSLIB', 'PGKRBSRVNAME', 'PGCONNECT_TIMEOUT'],
    ...['PGCLIENTENCODING', 'PGDATESTYLE', 'PGTZ', 'PGGEQO', 'PGTARGETSESSIONATTRS'],
    ...['PGLOADBALANCEHOSTS', 'PGSYSCONFDIR', 'PGLOCALEDIR'],
  ],
  Java: ['JAVA_HOME', 'JAVA_OPTS', 'JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS'],
  Spark: [
    ...['SPARK_HOME', 'SPARK_CONF_DIR', 'SPARK_DIST_CLASSPATH', 'SPARK_USER', 'SPARK_PUBLIC_DNS'],
    ...['SPARK_LOCAL_*', 'SPARK_LOG_*', 'SPARK_PID_DIR', 'SPARK_IDENT_STRING', 'SPARK_NICENESS'],
    ...['SPARK_DAEMON_*', 'SPARK_NO_DAEMONIZE', 'SPARK_DRIVER_MEMORY', 'SPARK_EXECUTOR_*', 'SPARK_WORKER_*'],
    ...['SPARK_MASTER_HOST', 'SPARK_MASTER_PORT', 'SPARK_MASTER_WEBUI_PORT', 'SPARK_MASTER_OPTS'],
    ...['SPARK_HISTORY_OPTS', 'SPARK_SHUFFLE_OPTS', 'PYSPARK_*'],
  ],
  Hadoop: ['HADOOP_*', 'YARN_*', 'HDFS_NAMENODE_*', 'HDFS_DATANODE_*', 'HDFS_SECONDARYNAMENODE_*'],
  Kafka: [
    ...['KAFKA_OPTS', 'KAFKA_HEAP_OPTS', 'KAFKA_JVM_PERFORMANCE_OPTS', 'KAFKA_GC_LOG_OPTS', 'KAFKA_JMX_OPTS'],
    ...['KAFKA_LOG4J_OPTS', 'KAFKA_CLUSTER_ID', 'KAFKA_NODE_ID', 'KAFKA_PROCESS_ROLES', 'KAFKA_LISTENERS'],
    'KAFKA_ADVERTISED_LISTENERS',
  ],
  'Python and Node': ['PYTHON*', 'PIP_*', 'UV_*', 'VIRTUAL_ENV', 'NODE_*', 'NPM_*', 'npm_*'],
  proxies: [
    ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'FTP_PROXY', 'WS_PROXY', 'WSS_PROXY'].flatMap(
      (name) => [name, name.toLowerCase()],
    ),
  ],
  certificates: ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
  'the computer': [
    ...['TZ', 'LANG', 'LANGUAGE', 'LC_*', 'HOME', 'PATH', 'SHELL', 'USER', 'UID', 'GID', 'PUID'],
    ...['PGID', 'HOSTNAME', 'TERM', 'EDITOR', 'TMPDIR', 'XDG_*', 'CI', 'NO_COLOR', 'FORCE_COLOR'],
    ...['DEBUG'],
  ],
};

const patterns = Object.values(foreignNames).flat();
const hasPrefix = (name: string): boolean =>
  patterns.some((pattern) => pattern.endsWith('*') && name.startsWith(pattern.slice(0, -1)));

/** True where another program documents the name. */
export const isForeign = (name: string): boolean => patterns.includes(name) || hasPrefix(name);

/**
 * What is wrong with a name in `.env` that is not among our own; undefined where another program documents it.
 * A name that only a prefix admits and that is two letters at most from one of our own is taken for a misspelt one.
 */
export function unknownName(name: string, ownNames: readonly string[]): string | undefined {
  if (patterns.includes(name)) return undefined;
  const meant = nearest(name, ownNames);
  const isMisspelt = meant !== undefined && editDistance(name, meant) <= 2;
  if (hasPrefix(name) && !isMisspelt) return undefined;
  return `is no setting of cryptopipe${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}
