import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';

const load = (environment: Record<string, string>) =>
  loadConfig({}, { HOME: '/home/me', ...environment }, '/nonexistent/.env');

describe('PostgreSQL of the command line and of the jobs', () => {
  it.each([
    [
      { PGHOST: 'db.example', PGPORT: '6543', PGDATABASE: 'market' },
      'jdbc:postgresql://db.example:6543/market',
    ],
    [{ PGHOST: 'db.example' }, 'jdbc:postgresql://db.example:5432/crypto'],
    [{ PGHOST: 'db.example', CRYPTOPIPE_PORT_OFFSET: '100' }, 'jdbc:postgresql://db.example:5432/crypto'],
    [{ PGPORT: '6543' }, 'jdbc:postgresql://localhost:6543/crypto'],
    [{ CRYPTOPIPE_PORT_OFFSET: '100' }, 'jdbc:postgresql://localhost:5532/crypto'],
    [{ PGHOST: '::1' }, 'jdbc:postgresql://[::1]:5432/crypto'],
    [{ PGHOST: '/run/postgresql' }, 'jdbc:postgresql://localhost:5432/crypto'],
    [{ CRYPTOPIPE_STACK: 'docker', PGDATABASE: 'market' }, 'jdbc:postgresql://postgres:5432/market'],
    // The end of a tunnel.
    [
      { PGHOST: 'localhost', PGPORT: '15432', POSTGRES_JDBC_URL: 'jdbc:postgresql://db/crypto' },
      'jdbc:postgresql://db/crypto',
    ],
  ])('%j: the jobs use %s', (environment, jdbcUrl) => {
    expect(load(environment as Record<string, string>).postgres.jdbcUrl).toBe(jdbcUrl);
  });

  it.each([
    ['jdbc:postgresql://db.example:6543/market', { host: 'db.example', port: 6543, database: 'market' }],
    ['jdbc:postgresql://db.example/market', { host: 'db.example', port: 5432, database: 'market' }],
    ['jdbc:postgresql://[fe80::1]:6543/market', { host: 'fe80::1', port: 6543, database: 'market' }],
  ])('%s alone: the command line uses it too', (POSTGRES_JDBC_URL, postgres) => {
    expect(load({ POSTGRES_JDBC_URL }).postgres).toMatchObject(postgres);
  });

  it('in Docker, the name of the database follows alone', () => {
    const environment = {
      CRYPTOPIPE_STACK: 'docker',
      POSTGRES_JDBC_URL: 'jdbc:postgresql://postgres:5432/market',
    };
    expect(load(environment).postgres).toMatchObject({ host: 'localhost', port: 5432, database: 'market' });
  });
});

describe('the lake of the command line and of the jobs', () => {
  it.each([
    [
      { HDFS_RAW_PATH: 'hdfs://nn:9000/a/raw' },
      ['hdfs://nn:9000/datalake/clean/crypto', 'hdfs://nn:9000/datalake/rejected/crypto', 'http://nn:9870'],
    ],
    [
      { HDFS_CLEAN_PATH: 'hdfs://nn:9000/a/clean' },
      ['hdfs://nn:9000/a/clean', 'hdfs://nn:9000/datalake/rejected/crypto', 'http://nn:9870'],
    ],
    [
      { WEBHDFS_URL: 'http://nn:9870', CRYPTOPIPE_PORT_OFFSET: '7' },
      ['hdfs://nn:8020/datalake/clean/crypto', 'hdfs://nn:8020/datalake/rejected/crypto', 'http://nn:9870'],
    ],
    [
      { WEBHDFS_URL: 'http://localhost:19870', HDFS_RAW_PATH: 'hdfs://nn:8020/raw' },
      [
        'hdfs://nn:8020/datalake/clean/crypto',
        'hdfs://nn:8020/datalake/rejected/crypto',
        'http://localhost:19870',
      ],
    ],
    [
      { WEBHDFS_URL: 'http://nn1:9870', HDFS_RAW_PATH: 'hdfs://cluster/raw' },
      ['hdfs://cluster/datalake/clean/crypto', 'hdfs://cluster/datalake/rejected/crypto', 'http://nn1:9870'],
    ],
  ])('%j', (environment, [cleanPath, rejectedPath, webUrl]) => {
    expect(load(environment as Record<string, string>).hdfs).toMatchObject({
      cleanPath,
      rejectedPath,
      webUrl,
    });
  });
});

it.each([
  [{ KAFKA_BOOTSTRAP_SERVERS: 'a:9092, b' }, ['a:9092', 'b:9092'], 'a:9092,b:9092'],
  [{ CRYPTOPIPE_CLUSTER_KAFKA: 'a:9092' }, ['a:9092'], 'a:9092'],
  [{ KAFKA_BOOTSTRAP_SERVERS: 'a', CRYPTOPIPE_CLUSTER_KAFKA: 'b,a' }, ['a:9092'], 'b:9092,a:9092'],
  [
    { KAFKA_BOOTSTRAP_SERVERS: 'localhost:19092', CRYPTOPIPE_CLUSTER_KAFKA: 'b' },
    ['localhost:19092'],
    'b:9092',
  ],
  [{ KAFKA_BOOTSTRAP_SERVERS: '[::1]:9092' }, ['[::1]:9092'], '[::1]:9092'],
  [{ CRYPTOPIPE_STACK: 'docker', KAFKA_BOOTSTRAP_SERVERS: 'a' }, ['a:9092'], 'kafka:9092'],
])('Kafka of %j', (environment, brokers, clusterBrokers) => {
  expect(load(environment as Record<string, string>).kafka).toMatchObject({ brokers, clusterBrokers });
});

it.each([
  [
    { SPARK_REST_URL: 'https://spark.example:6066' },
    { masterUrl: 'spark://spark.example:7077', uiUrl: 'http://spark.example:8080' },
  ],
  [
    { SPARK_MASTER_URL: 'spark://a:7077,b:7077', CRYPTOPIPE_ALLOW_INSECURE_REST: 'true' },
    { restUrl: 'http://a:6066', uiUrl: 'http://a:8080' },
  ],
  [
    { SPARK_REST_URL: 'http://localhost:16066', SPARK_MASTER_URL: 'spark://a:7077' },
    { restUrl: 'http://localhost:16066', masterUrl: 'spark://a:7077' },
  ],
  [
    { CRYPTOPIPE_PORT_OFFSET: '5' },
    { masterUrl: 'spark://127.0.0.1:7082', restUrl: 'http://localhost:6071' },
  ],
])('Spark of %j', (environment, spark) => {
  expect(load(environment as Record<string, string>).spark).toMatchObject(spark);
});

it('an address that follows another is refused with the name of that one', () => {
  expect(() => load({ SPARK_MASTER_URL: 'spark://a:7077' })).toThrow(
    'SPARK_REST_URL (which follows SPARK_MASTER_URL): is plain HTTP to another computer',
  );
  expect(() => load({ KAFKA_BOOTSTRAP_SERVERS: 'SASL_SSL://h:9092' })).toThrow(
    /^The configuration is wrong:\n {2}KAFKA_BOOTSTRAP_SERVERS: SASL_SSL:\/\/ needs TLS or a login[^\n]*$/,
  );
});

it('contradictions are refused in one message, with both settings and their values', () => {
  const environment = {
    PGHOST: 'db.example',
    PGDATABASE: 'market',
    POSTGRES_JDBC_URL: 'jdbc:postgresql://localhost:5432/crypto',
    WEBHDFS_URL: 'http://nn1:9870',
    HDFS_RAW_PATH: 'hdfs://nn2:8020/raw',
    HDFS_CLEAN_PATH: 'hdfs://nn3:8020/clean',
    KAFKA_BOOTSTRAP_SERVERS: 'a:9092',
    CRYPTOPIPE_CLUSTER_KAFKA: 'b:9092',
    SPARK_REST_URL: 'https://s1:6066',
    SPARK_MASTER_URL: 'spark://s2:7077',
  };
  const lines = [
    'PGHOST leads to db.example:5432 and POSTGRES_JDBC_URL to localhost:5432, which are two servers',
    'PGDATABASE is market and POSTGRES_JDBC_URL has the database crypto',
    'KAFKA_BOOTSTRAP_SERVERS leads to a:9092 and CRYPTOPIPE_CLUSTER_KAFKA to b:9092, which are two servers',
    'HDFS_RAW_PATH is on hdfs://nn2:8020 and HDFS_CLEAN_PATH on hdfs://nn3:8020',
    'WEBHDFS_URL leads to nn1:9870 and HDFS_RAW_PATH to nn2:8020, which are two servers',
    'SPARK_REST_URL leads to s1:6066 and SPARK_MASTER_URL to s2:7077, which are two servers',
  ];
  for (const line of lines) expect(() => load(environment)).toThrow(line);
});

it.each([
  ['jdbc:postgresql://me:canary@db/crypto'],
  ['jdbc:postgresql://db/crypto?user=me&sslpassword=canary'],
])('a JDBC address with a login is refused and not shown: %s', (POSTGRES_JDBC_URL) => {
  const read = () => load({ POSTGRES_JDBC_URL, PGHOST: 'other' });
  expect(read).toThrow('POSTGRES_JDBC_URL: holds a user or a password');
  expect(read).not.toThrow('canary');
});

describe('the user of HDFS', () => {
  it('is HADOOP_USER_NAME in both halves', () => {
    expect(load({ HADOOP_USER_NAME: 'alice' }).hdfs).toMatchObject({ user: 'alice', isUserSet: true });
    expect(load({ HADOOP_USER_NAME: 'alice', CRYPTOPIPE_STACK: 'docker' }).hdfs.user).toBe('alice');
  });

  it('is that of the containers in Docker where none is named', () => {
    expect(load({ CRYPTOPIPE_STACK: 'docker' }).hdfs).toMatchObject({ user: 'hadoop', isUserSet: false });
  });
});
