import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createParquetLake } from '../../../src/adapters/parquet-lake.js';
import { JobFailedError } from '../../../src/core/errors.js';
import { fakeFiles } from '../../support/fake-files.js';

let folder: string;
const parquet: Record<number, Uint8Array> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cryptopipe-lake-'));
  const connection = await (await DuckDBInstance.create()).connect();
  for (const rows of [0, 3, 50_000]) {
    const file = join(folder, `${rows}.parquet`);
    await connection.run(
      `COPY (SELECT i AS id, random() AS price FROM range(${rows}) AS t(i)) TO '${file}' (FORMAT parquet)`,
    );
    parquet[rows] = readFileSync(file);
  }
  connection.closeSync();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const batch = (name: string): string => `/lake/raw/dt=2024-08-08/hr=23/batch=${name}`;

describe('the leaves of the lake', () => {
  it('are counted from the footers alone', async () => {
    const { store, reads } = fakeFiles({
      [`${batch('a-0')}/part-0.parquet`]: parquet[50_000]!,
      [`${batch('a-0')}/part-1.parquet`]: parquet[3]!,
      [`${batch('a-1')}/part-0.parquet`]: parquet[0]!,
    });
    expect(await createParquetLake(store).leaves('/lake/raw/')).toEqual([
      {
        path: batch('a-0'),
        files: 2,
        rows: 50_003,
        sizeBytes: parquet[50_000]!.length + parquet[3]!.length,
      },
      { path: batch('a-1'), files: 1, rows: 0, sizeBytes: parquet[0]!.length },
    ]);
    expect(Math.max(...reads.map(({ length }) => length))).toBeLessThanOrEqual(16 * 1024);
  });

  it('leave out what is being written: hidden folders and files', async () => {
    const { store } = fakeFiles({
      '/lake/raw/_SUCCESS': new Uint8Array(),
      '/lake/raw/.spark-staging-1/dt=2024-08-08/part-0.parquet': parquet[3]!,
      '/lake/raw/_temporary/0/part-0.parquet': parquet[3]!,
      [`${batch('a-0')}/.part-0.parquet`]: parquet[3]!,
    });
    expect(await createParquetLake(store).leaves('/lake/raw')).toEqual([]);
  });

  it('are none where the folder is missing', async () => {
    expect(await createParquetLake(fakeFiles().store).leaves('/lake/raw')).toEqual([]);
  });

  it('go on without a file that was replaced while they were read', async () => {
    const path = `${batch('a-0')}/part-0.parquet`;
    const { store, files } = fakeFiles({ [path]: parquet[3]! });
    const leaving = { ...store, read: () => (files.delete(path), Promise.reject(new Error('gone'))) };
    expect(await createParquetLake(leaving).leaves('/lake/raw')).toEqual([]);
  });

  it('are an error that names the file where one is no whole Parquet file', async () => {
    const path = `${batch('a-0')}/part-0.parquet`;
    const { store } = fakeFiles({ [path]: parquet[50_000]!.slice(0, 1000) });
    const error: unknown = await createParquetLake(store)
      .leaves('/lake/raw')
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(JobFailedError);
    expect((error as Error).message).toContain(`${path} is no whole Parquet file`);
  });
});
