import { describe, expect, it } from 'vitest';
import { settingsEnvironment } from '../../../src/config-environment.js';
import { loadConfig } from '../../../src/config.js';
import { basePorts, dockerPorts, settings as everySetting } from '../../../src/core/settings.js';
import { airflowEnvironment } from '../../../src/stack/airflow.js';
import { stackEnvironment } from '../../../src/commands/stack-environment.js';
import { coreSite, hadoopXml, hdfsSite } from '../../../src/stack/hdfs.js';
import { kafkaProperties } from '../../../src/stack/kafka.js';
import { passFileText } from '../../../src/stack/postgres.js';
import { serverEnvironment, type StackSettings } from '../../../src/stack/settings.js';

const settings: StackSettings = {
  ports: basePorts,
  portOffset: 0,
  dataDir: '/data',
  cacheDir: '/cache',
  mavenUrl: 'https://repo.example',
  postgresBin: undefined,
  python: 'python3',
  environment: { PATH: '/bin', SPARK_HOME: '/elsewhere', POSTGRES_PASSWORD: 'hidden', PIP_CERT: '/x' },
  postgres: { user: 'crypto', password: 'crypto', database: 'crypto' },
  hdfsUser: 'me',
  sparkRest: { key: undefined, token: () => undefined },
  tasks: { environment: {}, secrets: [] },
  program: '/main.js',
  supervisor: '/supervise.js',
};

/** Every host:port of a text. */
const addresses = (text: string): string[] => text.match(/[\w.]+:\d{4,5}/g) ?? [];

describe('the servers', () => {
  it('listen on loopback only', () => {
    const texts = [
      kafkaProperties(settings, '/data/kafka'),
      hadoopXml({ ...coreSite(settings), ...hdfsSite(settings) }),
      JSON.stringify(airflowEnvironment(settings)),
    ];
    const hosts = addresses(texts.join('\n')).map((address) => address.split(':')[0]);
    expect(hosts.length).toBeGreaterThan(5);
    expect([...new Set(hosts)].sort()).toEqual(['127.0.0.1', 'localhost']);
  });

  it('get no setting and no secret of the caller that could change them', () => {
    expect(serverEnvironment(settings, { OWN: '1' })).toEqual({ PATH: '/bin', OWN: '1' });
  });

  it('have their paths escaped in XML', () => {
    expect(hadoopXml({ a: '/x & y/<z>' })).toContain('<value>/x &amp; y/&lt;z&gt;</value>');
  });
});

describe('the password file', () => {
  it('has colons and backslashes escaped', () => {
    const postgres = { user: 'crypto', password: 'a:b\\c', database: 'crypto' };
    expect(passFileText({ ...settings, postgres })).toBe(
      'localhost:5432:*:crypto:a\\:b\\\\c\n127.0.0.1:5432:*:crypto:a\\:b\\\\c\n',
    );
  });
});

describe('stack env', () => {
  it('gives back the configuration that it was made from', () => {
    const config = loadConfig({ portOffset: '10000', dataDir: '/data/here' }, {}, '/nonexistent/.env');
    const again = loadConfig({}, stackEnvironment(config), '/nonexistent/.env');
    expect(again).toEqual({ ...config, environment: again.environment });
  });

  it('prints no password', () => {
    const config = loadConfig({}, { POSTGRES_PASSWORD: 'very-secret' }, '/nonexistent/.env');
    expect(JSON.stringify(stackEnvironment(config))).not.toContain('very-secret');
  });
});

describe('what the tasks of Airflow see', () => {
  const others: Record<string, string> = {
    CRYPTOPIPE_STACK: 'native',
    CRYPTOPIPE_PORT_OFFSET: '1000',
    CRYPTOPIPE_DATA_DIR: '/data/here',
    CRYPTOPIPE_CACHE_DIR: '/cache/here',
    CRYPTOPIPE_MAVEN_URL: 'https://maven.example/m2',
    CRYPTOPIPE_POSTGRES_BIN: '/opt/postgres/bin',
    CRYPTOPIPE_PYTHON: 'python3.12',
    CRYPTO_API_URL: 'http://127.0.0.1:9999',
    CRYPTO_ARCHIVE_URL: 'https://archive.example',
    CRYPTO_STREAM_URL: 'ws://127.0.0.1:9998',
    CRYPTO_SYMBOL: 'ETHUSDT,BTCUSDT',
    CRYPTO_POLL_INTERVAL_MS: '7000',
    // Ends of tunnels: two other names would be two servers.
    KAFKA_BOOTSTRAP_SERVERS: 'localhost:19092',
    CRYPTOPIPE_CLUSTER_KAFKA: 'inside.example:9092',
    KAFKA_TOPIC: 'other',
    KAFKA_CLIENT_ID: 'somebody',
    HADOOP_USER_NAME: 'lake',
    WEBHDFS_URL: 'http://hdfs.example:9870',
    HDFS_RAW_PATH: 'hdfs://hdfs.example:8020/lake/raw',
    HDFS_CLEAN_PATH: 'hdfs://hdfs.example:8020/lake/clean',
    PGHOST: 'localhost',
    PGPORT: '5433',
    PGDATABASE: 'prices',
    PGSSLMODE: 'verify-ca',
    PGSSLROOTCERT: '/etc/ssl/prices.pem',
    POSTGRES_JDBC_URL: 'jdbc:postgresql://inside.example:5432/prices',
    POSTGRES_USER: 'me',
    POSTGRES_CLEAN_TABLE: 'mine.trades',
    POSTGRES_AGG_TABLE: 'mine.bars',
    SPARK_REST_URL: 'http://spark.example:6066',
    CRYPTOPIPE_ALLOW_INSECURE_REST: 'true',
    SPARK_UI_URL: 'http://spark.example:8082',
    SPARK_MASTER_URL: 'spark://spark.example:7077',
    CRYPTOPIPE_SPARK_JARS: '/a.jar,/b.jar',
    CRYPTOPIPE_JOBS_DIR: '/my/jobs',
    HTTPS_PROXY: 'http://proxy.example:3128',
    HTTP_PROXY: 'http://proxy.example:3129',
    ALL_PROXY: 'socks5://proxy.example:1080',
    NO_PROXY: 'inside.example',
    CRYPTOPIPE_ALARM_COMMAND: '/usr/local/bin/alarm',
    PYSPARK_PYTHON: '/opt/python',
  };
  // The ports that docker-compose.yml publishes are none of the native stack's business.
  const open = everySetting
    .filter(({ name, isSecret }) => isSecret !== true && !(name in dockerPorts))
    .map(({ name }) => name);

  it('is every setting, as the one who started Airflow had it', () => {
    expect(Object.keys(others).sort()).toEqual([...open].sort());
    const config = loadConfig({}, others, '/nonexistent/.env');
    expect(settingsEnvironment(config)).toMatchObject(others);
    const again = loadConfig({}, settingsEnvironment(config), '/nonexistent/.env');
    expect(again).toEqual({ ...config, environment: again.environment });
  });

  it('is the same configuration where nothing was set', () => {
    const config = loadConfig({}, {}, '/nonexistent/.env');
    const again = loadConfig({}, settingsEnvironment(config), '/nonexistent/.env');
    expect(again).toEqual({ ...config, environment: again.environment });
  });

  it('holds no secret', () => {
    const secrets = { POSTGRES_PASSWORD: 'very-hidden-1', POSTGRES_READER_PASSWORD: 'very-hidden-2' };
    const config = loadConfig({}, { ...others, ...secrets }, '/nonexistent/.env');
    expect(JSON.stringify(settingsEnvironment(config))).not.toContain('very-hidden');
  });
});
