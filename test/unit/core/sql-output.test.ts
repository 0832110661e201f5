import { describe, expect, it } from 'vitest';
import { keptPlaces } from '../../../src/core/connection-values.js';
import { sqlOutput, stdoutTarget, type SqlTarget } from '../../../src/core/sql-output.js';
import { connection } from '../../support/submission-world.js';

const output = (values: Partial<SqlTarget>): unknown =>
  sqlOutput({ ...stdoutTarget, ...values }, keptPlaces(connection));

describe('where the rows of a statement go', () => {
  it.each<[Partial<SqlTarget>, unknown]>([
    [{}, { kind: 'stdout' }],
    [
      { to: 'postgres:daily', key: ['day'] },
      { kind: 'postgres', schema: 'public', table: 'daily', key: ['day'], partitionBy: [] },
    ],
    [
      { to: 'postgres:reports.daily', partitionBy: ['day'] },
      { kind: 'postgres', schema: 'reports', table: 'daily', key: [], partitionBy: ['day'] },
    ],
    [
      { to: 'hdfs:/reports/daily/', partitionBy: ['dt'] },
      { kind: 'hdfs', path: 'hdfs://localhost:8020/reports/daily', partitionBy: ['dt'], overwrite: false },
    ],
    [
      { to: 'hdfs://other:8020/reports', overwrite: true },
      { kind: 'hdfs', path: 'hdfs://other:8020/reports', partitionBy: [], overwrite: true },
    ],
  ])('%j', (target, expected) => {
    expect(output(target)).toEqual(expected);
  });

  it.each<[Partial<SqlTarget>, string]>([
    [{ to: 'file' }, 'file is no place for a result'],
    [{ key: ['day'] }, 'a printed result replaces nothing'],
    [{ to: 'postgres:daily' }, 'wants either --key or --partition-by'],
    [{ to: 'postgres:daily', key: ['a'], partitionBy: ['b'] }, 'wants either --key or --partition-by'],
    [{ to: 'postgres:daily', key: ['a'], overwrite: true }, '--overwrite and postgres: does not go together'],
    [{ to: 'postgres:a.b.c', key: ['a'] }, 'postgres:a.b.c names no table'],
    [{ to: 'postgres:x; DROP TABLE y', key: ['a'] }, 'names no table'],
    [{ to: 'postgres:crypto.coverage', key: ['source'] }, 'The schema crypto is not written to from outside'],
    [{ to: 'postgres:pg_catalog.x', key: ['a'] }, 'The schema pg_catalog is not written to'],
    [{ to: 'postgres:daily', key: ['a b'] }, '--key: a b is no name of a column'],
    [{ to: 'hdfs:/' }, 'hdfs:/ is no folder that can be written'],
    [{ to: 'hdfs:/a/../datalake' }, 'is no folder that can be written'],
    [{ to: 'hdfs:/a/*' }, 'is no folder that can be written'],
    [{ to: 'hdfs:a' }, 'is no folder that can be written'],
    [{ to: 'hdfs:/datalake/clean/crypto' }, 'where cryptopipe keeps its own files'],
    [{ to: 'hdfs:/datalake/clean/crypto/dt=2026-01-01' }, 'where cryptopipe keeps its own files'],
    [{ to: 'hdfs:/datalake', overwrite: true }, 'where cryptopipe keeps its own files'],
    [{ to: 'hdfs:/jobs/x' }, 'where cryptopipe keeps its own files'],
    [{ to: 'hdfs:/checkpoints' }, 'where cryptopipe keeps its own files'],
    [{ to: 'hdfs:/a', key: ['a'] }, 'files have no keys'],
    [{ to: 'hdfs:/a', partitionBy: ['a'], overwrite: true }, 'partitions are replaced anyway'],
  ])('refuses %j', (target, message) => {
    expect(() => output(target)).toThrow(message);
  });
});
