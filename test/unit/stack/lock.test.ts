import { describe, expect, it } from 'vitest';
import { stackLock } from '../../../src/stack/install/lock.js';
import { findUser } from '../../../src/stack/install/postgres-user.js';
import { requirementsOf } from '../../../src/stack/install/python.js';
import { wantedServers } from '../../../src/stack/servers.js';

describe('the lock file', () => {
  const { versions, maven, python } = stackLock();

  it('holds the pinned versions', () => {
    expect(versions).toEqual({ kafka: '4.3.1', hadoop: '3.5.0', spark: '4.2.0', scala: '2.13' });
  });

  it('holds the whole closure of Kafka and what Spark and HDFS lack beside pyspark', () => {
    expect(maven.kafka).toHaveLength(46);
    expect(maven.hdfs.map(({ path }) => path.split('/').at(-1))).toEqual([
      'hadoop-client-minicluster-3.5.0.jar',
    ]);
    expect(maven.connectors.map(({ path }) => path.split('/').at(-1))).toEqual([
      'commons-pool2-2.13.1.jar',
      'kafka-clients-3.9.2.jar',
      'spark-sql-kafka-0-10_2.13-4.2.0.jar',
      'spark-token-provider-kafka-0-10_2.13-4.2.0.jar',
      'postgresql-42.7.14.jar',
    ]);
  });

  it('pins the same Spark for Python as for the connector', () => {
    expect(python.packages.find(({ name }) => name === 'pyspark')?.version).toBe(versions.spark);
  });

  it('knows psycopg for five Pythons on two processors and two systems', () => {
    const binary = python.packages.find(({ name }) => name === 'psycopg-binary');
    expect(binary?.sha256.length).toBeGreaterThanOrEqual(20);
  });
});

describe('requirementsOf', () => {
  it('writes one requirement with every checksum', () => {
    const text = requirementsOf([{ name: 'a', version: '1.0', sha256: ['11', '22'] }]);
    expect(text).toBe('a==1.0 \\\n    --hash=sha256:11 \\\n    --hash=sha256:22\n');
  });
});

describe('wantedServers', () => {
  it('adds what a server cannot do without', () => {
    expect(wantedServers({ only: ['spark-worker', 'data-node'] })).toEqual([
      'name-node',
      'data-node',
      'spark-master',
      'spark-worker',
    ]);
  });

  it('means every core server when none is named', () => {
    expect(wantedServers({})).toHaveLength(7);
    expect(wantedServers({ only: [] })).toHaveLength(7);
  });

  it('adds Airflow only where it is named, and its database with it', () => {
    expect(wantedServers({})).not.toContain('airflow');
    expect(wantedServers({ with: ['airflow'] })).toEqual([...wantedServers({}), 'airflow']);
    expect(wantedServers({ only: ['airflow'] })).toEqual(['postgres', 'airflow']);
  });
});

describe('findUser', () => {
  const passwd =
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\npostgres:x:101:104::/:/bin/sh\n';

  it('prefers the first name that exists', () => {
    expect(findUser(passwd, ['postgres', 'nobody'])).toEqual({ name: 'postgres', uid: 101, gid: 104 });
    expect(findUser(passwd, ['absent', 'nobody'])).toEqual({ name: 'nobody', uid: 65534, gid: 65533 });
    expect(findUser(passwd, ['absent'])).toBeUndefined();
  });
});
