import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';

const archiveOf = (env: Record<string, string>): string =>
  loadConfig({}, { HOME: '/home/me', ...env }, '/nonexistent/.env').archiveUrl;

it.each([
  [{}, 'https://data.binance.vision'],
  [{ CRYPTO_API_URL: 'https://data-api.binance.vision/' }, 'https://data.binance.vision'],
  [{ CRYPTO_API_URL: 'http://127.0.0.1:8090/' }, 'http://127.0.0.1:8090'],
  [{ CRYPTO_ARCHIVE_URL: 'https://mirror.example/binance/' }, 'https://mirror.example/binance'],
  [{ CRYPTO_ARCHIVE_URL: '/data/my archive' }, 'file:///data/my%20archive'],
  [{ CRYPTO_ARCHIVE_URL: 'file:///data/archive' }, 'file:///data/archive'],
])('with %j the archive is %s', (env, url) => {
  expect(archiveOf(env)).toBe(url);
});

it('refuses an archive in a place that it cannot read', () => {
  expect(() => archiveOf({ CRYPTO_ARCHIVE_URL: 'ftp://example/' })).toThrow(
    'CRYPTO_ARCHIVE_URL: is neither an http(s) address nor a folder',
  );
});

it.each([
  ['PGPORT', 'abc', 'is not a whole number from 1 to 65535'],
  ['PGPORT', '70000', 'is not a whole number from 1 to 65535'],
  ['CRYPTO_POLL_INTERVAL_MS', '99.5', 'is not a whole number from 100 to 3600000'],
  ['CRYPTOPIPE_PORT_OFFSET', '-1', 'is not a whole number from 0 to 50000'],
])('refuses %s=%s in one line', (name, value, says) => {
  expect(() => archiveOf({ [name]: value })).toThrow(
    new RegExp(`^The configuration is wrong:\n  ${name}: ${says}$`),
  );
});

it.each([
  [0o600, []],
  [0o400, []],
  [0o640, ['SPARK_REST_KEY_FILE']],
  [0o444, ['SPARK_REST_KEY_FILE']],
])("warns of a secret's file with mode %o: %j", (mode, names) => {
  const folder = mkdtempSync(join(tmpdir(), 'secret-file-'));
  const file = join(folder, 'key');
  writeFileSync(file, `${'k'.repeat(43)}\n`);
  chmodSync(file, mode);
  const { warnings } = loadConfig({}, { HOME: '/home/me', SPARK_REST_KEY_FILE: file }, '/nonexistent/.env');
  rmSync(folder, { recursive: true });
  expect(warnings).toEqual(
    names.map((name) => `${name}: ${file} is open to other users; chmod 600 makes it yours alone`),
  );
});

describe('the REST server of Spark', () => {
  const key = 'k'.repeat(43);
  const sparkOf = (env: Record<string, string>) =>
    loadConfig({ dataDir: '/data' }, { HOME: '/home/me', ...env }, '/nonexistent/.env').spark;

  it.each([
    ['http://localhost:6066', '/data/spark-rest.key'],
    ['http://127.0.0.1:6066', '/data/spark-rest.key'],
    ['http://[::1]:6066', '/data/spark-rest.key'],
    // The end of a tunnel, and another computer: they never get a token that the own stack would take.
    ['http://localhost:7066', undefined],
    ['https://spark.example:6066', undefined],
  ])('at %s has its key in %s where none is set', (SPARK_REST_URL, restKeyFile) => {
    expect(sparkOf({ SPARK_REST_URL })).toMatchObject({ restKeyFile, restKey: undefined });
  });

  it.each([
    ['http://localhost:6066', '/data/docker/spark-rest.key'],
    ['http://localhost:7066', undefined],
    ['https://spark.example:6066', undefined],
  ])('of the stack in Docker at %s has its key in %s', (SPARK_REST_URL, restKeyFile) => {
    expect(sparkOf({ CRYPTOPIPE_STACK: 'docker', SPARK_REST_URL })).toMatchObject({ restKeyFile });
  });

  it('of the stack in Docker keeps its key where its port was moved', () => {
    const env = { CRYPTOPIPE_STACK: 'docker', CRYPTOPIPE_SPARK_REST_PORT: '16066' };
    expect(sparkOf(env)).toMatchObject({
      restUrl: 'http://localhost:16066',
      restKeyFile: '/data/docker/spark-rest.key',
    });
  });

  it.each([
    'http://spark-master:6066',
    'http://10.0.0.7:6066',
    'http://127.0.0.1.example:6066',
    'http://0.0.0.0:6066',
  ])('is refused at %s, unless it is allowed', (SPARK_REST_URL) => {
    expect(() => sparkOf({ SPARK_REST_URL })).toThrow('SPARK_REST_URL: is plain HTTP to another computer');
    expect(sparkOf({ SPARK_REST_URL, CRYPTOPIPE_ALLOW_INSECURE_REST: 'true' }).restUrl).toBe(SPARK_REST_URL);
  });

  it('takes a key of 32 bytes and more, and shows none that it refuses', () => {
    expect(sparkOf({ SPARK_REST_KEY: key }).restKey).toBe(key);
    expect(() => sparkOf({ SPARK_REST_KEY: 'canary' })).toThrow(
      'SPARK_REST_KEY: is not base64url of at least 32',
    );
    expect(() => sparkOf({ SPARK_REST_KEY: 'canary' })).not.toThrow('canary');
  });
});

it.each([
  ['SPARK_REST_URL', 'http://me:canary@localhost:6066'],
  ['WEBHDFS_URL', 'http://canary@localhost:9870'],
  ['POSTGRES_JDBC_URL', 'jdbc:postgresql://localhost:5432/crypto?user=me&password=canary'],
])('refuses a password in %s, and does not show it', (name, value) => {
  const load = () => loadConfig({}, { HOME: '/home/me', [name]: value }, '/nonexistent/.env');
  expect(load).toThrow(new RegExp(`${name}: holds a `));
  expect(load).not.toThrow('canary');
});

describe('the ports of the stack in Docker', () => {
  const load = (env: Record<string, string>, docker = true) =>
    loadConfig({ docker }, { HOME: '/home/me', ...env }, '/nonexistent/.env');

  it('are where the addresses point, each moved by its own variable, above the offset', () => {
    const config = load({ CRYPTOPIPE_PORT_OFFSET: '100', CRYPTOPIPE_KAFKA_PORT: '29092', PGPORT: '25432' });
    expect(config).toMatchObject({
      stack: 'docker',
      kafka: { brokers: ['localhost:29092'], clusterBrokers: 'kafka:9092' },
      hdfs: { webUrl: 'http://localhost:9970', rawPath: 'hdfs://namenode:8020/datalake/raw/crypto' },
      postgres: { port: 25_432, jdbcUrl: 'jdbc:postgresql://postgres:5432/crypto' },
    });
  });

  it('do not move those of the native stack', () => {
    expect(load({ CRYPTOPIPE_KAFKA_PORT: '29092' }, false)).toMatchObject({
      stack: 'native',
      kafka: { brokers: ['localhost:9092'] },
    });
  });

  it('are ports', () => {
    expect(() => load({ CRYPTOPIPE_GRAFANA_PORT: 'three' })).toThrow('CRYPTOPIPE_GRAFANA_PORT: ');
  });
});
