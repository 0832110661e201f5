/** The ports of the native stack before the offset is added; all on loopback. */
export const basePorts = {
  kafka: 9092,
  kafkaController: 9093,
  postgres: 5432,
  nameNodeRpc: 8020,
  nameNodeHttp: 9870,
  secondaryNameNodeHttp: 9868,
  dataNodeHttp: 9864,
  dataNodeData: 9866,
  dataNodeIpc: 9867,
  sparkRpc: 7077,
  sparkRest: 6066,
  sparkUi: 8082,
  workerRpc: 7078,
  workerUi: 8081,
  driverUi: 4040,
  secondDriverUi: 4041,
  airflow: 8083,
  grafana: 3000,
  sandbox: 8090,
  dashboard: 8091,
} as const;

export type PortName = keyof typeof basePorts;
export type Ports = Readonly<Record<PortName, number>>;

/** What docker-compose.yml publishes on this computer, by the variable that moves it; PostgreSQL's is PGPORT. */
export const dockerPorts = {
  CRYPTOPIPE_KAFKA_PORT: 'kafka',
  CRYPTOPIPE_NAMENODE_PORT: 'nameNodeRpc',
  CRYPTOPIPE_WEBHDFS_PORT: 'nameNodeHttp',
  CRYPTOPIPE_DATANODE_PORT: 'dataNodeHttp',
  CRYPTOPIPE_SPARK_PORT: 'sparkRpc',
  CRYPTOPIPE_SPARK_REST_PORT: 'sparkRest',
  CRYPTOPIPE_SPARK_UI_PORT: 'sparkUi',
  CRYPTOPIPE_WORKER_UI_PORT: 'workerUi',
  CRYPTOPIPE_DRIVER_UI_PORT: 'driverUi',
  CRYPTOPIPE_SECOND_DRIVER_UI_PORT: 'secondDriverUi',
  CRYPTOPIPE_AIRFLOW_PORT: 'airflow',
  CRYPTOPIPE_GRAFANA_PORT: 'grafana',
} as const satisfies Readonly<Record<string, PortName>>;

const publishedAs: Readonly<Record<(typeof dockerPorts)[keyof typeof dockerPorts], string>> = {
  kafka: 'Kafka',
  nameNodeRpc: 'the NameNode',
  nameNodeHttp: 'WebHDFS',
  dataNodeHttp: 'the DataNode',
  sparkRpc: "Spark's master",
  sparkRest: "Spark's REST server",
  sparkUi: "the master's web page",
  workerUi: "the worker's web page",
  driverUi: "the driver's web page",
  secondDriverUi: "a second driver's web page",
  airflow: 'Airflow',
  grafana: 'Grafana',
};

/** Where `stack up` writes the password for psql and other tools that read PGPASSFILE. */
export const passFileOf = (dataDir: string): string => `${dataDir}/pgpass`;

/** One row of the settings table: where it is read, what it means, what holds when nobody says anything. */
export interface Setting {
  readonly name: string;
  readonly meaning: string;
  /** The default as the README prints it. */
  readonly shown: string;
  readonly isSecret?: boolean;
}

/** Every environment variable that cryptopipe reads; the README's table and `.env.example` are held against it. */
export const settings: readonly Setting[] = [
  {
    name: 'CRYPTOPIPE_STACK',
    meaning: 'which table of addresses holds: `native` or `docker`',
    shown: 'native',
  },
  {
    name: 'CRYPTOPIPE_PORT_OFFSET',
    meaning: 'added to every port of the stack; in Docker, of `stack up --docker`',
    shown: '0',
  },
  {
    name: 'CRYPTOPIPE_DATA_DIR',
    meaning: 'data, logs and state of the native stack',
    shown: '$XDG_STATE_HOME/cryptopipe, as root /var/lib/cryptopipe',
  },
  {
    name: 'CRYPTOPIPE_CACHE_DIR',
    meaning: 'downloads of the native stack',
    shown: '$XDG_CACHE_HOME/cryptopipe, as root /var/cache/cryptopipe',
  },
  { name: 'CRYPTOPIPE_MAVEN_URL', meaning: 'base address of a Maven repository', shown: 'Maven Central' },
  {
    name: 'CRYPTOPIPE_POSTGRES_BIN',
    meaning: "folder of a system PostgreSQL's initdb, pg_ctl and postgres",
    shown: 'the binaries from npm',
  },
  { name: 'CRYPTOPIPE_PYTHON', meaning: 'the Python that makes the virtual environment', shown: 'python3' },
  {
    name: 'CRYPTO_API_URL',
    meaning: 'the exchange; `sandbox` is the stand-in of this computer',
    shown: 'https://api.binance.com',
  },
  {
    name: 'CRYPTO_ARCHIVE_URL',
    meaning: "the exchange's archive of daily files: its address, or a folder with the same tree",
    shown: 'for Binance https://data.binance.vision, else CRYPTO_API_URL',
  },
  {
    name: 'CRYPTO_STREAM_URL',
    meaning: 'where the exchange pushes its trades',
    shown: 'the stream host of CRYPTO_API_URL',
  },
  { name: 'CRYPTO_SYMBOL', meaning: 'one symbol or a comma list, in any alphabet', shown: 'BTCUSDT' },
  { name: 'CRYPTO_POLL_INTERVAL_MS', meaning: 'pause between two polls when not behind', shown: '5000' },
  {
    name: 'KAFKA_BOOTSTRAP_SERVERS',
    meaning: 'Kafka, as this command sees it: comma list of host or host:port',
    shown: 'localhost:9092',
  },
  {
    name: 'CRYPTOPIPE_CLUSTER_KAFKA',
    meaning: 'Kafka, as the jobs see it',
    shown: 'as above; docker kafka:9092',
  },
  { name: 'KAFKA_TOPIC', meaning: 'topic of the ticks', shown: 'crypto_raw' },
  { name: 'KAFKA_CLIENT_ID', meaning: 'client id of the producer', shown: 'cryptopipe' },
  { name: 'WEBHDFS_URL', meaning: 'WebHDFS of the NameNode', shown: 'http://localhost:9870' },
  {
    name: 'HADOOP_USER_NAME',
    meaning: 'the user of HDFS, for this command and for the jobs',
    shown: 'who runs the command; docker hadoop',
  },
  {
    name: 'HDFS_RAW_PATH',
    meaning: 'raw records in the lake, as the jobs see it',
    shown: 'hdfs://localhost:8020/datalake/raw/crypto',
  },
  {
    name: 'HDFS_CLEAN_PATH',
    meaning: 'typed trades in the lake, as the jobs see it',
    shown: 'hdfs://localhost:8020/datalake/clean/crypto',
  },
  { name: 'PGHOST', meaning: 'PostgreSQL, as this command sees it', shown: 'localhost' },
  { name: 'PGPORT', meaning: 'its port', shown: '5432' },
  { name: 'PGDATABASE', meaning: 'its database', shown: 'crypto' },
  {
    name: 'PGSSLMODE',
    meaning:
      'its TLS as libpq has it, for this command and the jobs: `disable`, `require`, `verify-ca`, `verify-full`',
    shown: 'no TLS for this command, what the server prefers for the jobs',
  },
  {
    name: 'PGSSLROOTCERT',
    meaning:
      'file of the certificate authority that it is checked by, here and on the workers; `system` for the known ones',
    shown: 'no file',
  },
  {
    name: 'POSTGRES_JDBC_URL',
    meaning: 'PostgreSQL, as the jobs see it',
    shown: 'jdbc:postgresql://localhost:5432/crypto',
  },
  { name: 'POSTGRES_USER', meaning: 'its user', shown: 'crypto' },
  {
    name: 'POSTGRES_PASSWORD',
    meaning: 'its password; change it before anything is exposed',
    shown: 'crypto',
    isSecret: true,
  },
  {
    name: 'POSTGRES_READER_PASSWORD',
    meaning: 'what `init` gives to the role `crypto_reader`, which can only read, so that Grafana can log in',
    shown: 'none: nobody can',
    isSecret: true,
  },
  {
    name: 'POSTGRES_CLEAN_TABLE',
    meaning: 'name under which the trades are read; another name becomes a view',
    shown: 'crypto.crypto_prices_clean',
  },
  {
    name: 'POSTGRES_AGG_TABLE',
    meaning: 'name under which the bars are read; another name becomes a view',
    shown: 'crypto.crypto_prices_agg_1min',
  },
  { name: 'SPARK_REST_URL', meaning: "Spark's REST submission server", shown: 'http://localhost:6066' },
  {
    name: 'SPARK_REST_KEY',
    meaning: 'key with which calls to it are signed: base64url of at least 32 bytes',
    shown: "the stack's own",
    isSecret: true,
  },
  {
    name: 'CRYPTOPIPE_ALLOW_INSECURE_REST',
    meaning:
      '`true` allows plain HTTP to it on another computer, where a token can be overheard and used again',
    shown: 'false',
  },
  { name: 'SPARK_UI_URL', meaning: "the master's web address", shown: 'http://localhost:8082' },
  { name: 'SPARK_MASTER_URL', meaning: 'the master, as the jobs see it', shown: 'spark://127.0.0.1:7077' },
  { name: 'CRYPTOPIPE_SPARK_JARS', meaning: 'comma list of jars on the workers', shown: "the stack's own" },
  {
    name: 'CRYPTOPIPE_JOBS_DIR',
    meaning: 'a folder of your own jobs, beside those that are shipped',
    shown: 'the shipped jobs alone',
  },
  {
    name: 'CRYPTOPIPE_ALARM_COMMAND',
    meaning: "a program that Airflow's tasks call when they have failed, with the words on its stdin",
    shown: 'nobody is called',
  },
  {
    name: 'HTTPS_PROXY',
    meaning:
      'proxy for addresses with TLS (https, wss); it may also be written in lower case, as the next three',
    shown: 'no proxy',
  },
  { name: 'HTTP_PROXY', meaning: 'proxy for addresses without TLS', shown: 'no proxy' },
  { name: 'ALL_PROXY', meaning: 'proxy where neither of the two is set', shown: 'no proxy' },
  {
    name: 'NO_PROXY',
    meaning: 'comma list of hosts that are reached without a proxy; this computer always is',
    shown: 'this computer',
  },
  { name: 'PYSPARK_PYTHON', meaning: 'Python on the workers', shown: "the stack's own" },
  {
    name: 'AIRFLOW_ADMIN_PASSWORD',
    meaning: 'docker: with which `admin` logs in to Airflow',
    shown: 'made at the first start',
    isSecret: true,
  },
  {
    name: 'GRAFANA_ADMIN_PASSWORD',
    meaning: 'docker: with which `admin` logs in to Grafana; holds from the first start on',
    shown: 'made at the first start',
    isSecret: true,
  },
  ...Object.entries(dockerPorts).map(([name, port]) => ({
    name,
    meaning: `docker: the port of ${publishedAs[port]} on this computer`,
    shown: String(basePorts[port]),
  })),
];
