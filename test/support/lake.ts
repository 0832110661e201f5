import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { FileEntry, FileStore } from '../../src/core/ports/files.js';

const areas = ['raw', 'clean', 'rejected'] as const;

/** A copy of a lake, read by DuckDB: views raw, clean and rejected (where it has files), with dt, hr, batch, generation. */
export interface LakeCopy {
  /** Every Parquet file with the time of its last change. */
  readonly files: readonly FileEntry[];
  rows(sql: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Fetches all Parquet below `folder` and opens it with a reader that is not Spark. */
export async function openLake(store: FileStore, folder: string): Promise<LakeCopy> {
  const copy = await mkdtemp(join(tmpdir(), 'cryptopipe-lake-'));
  const files = (await filesBelow(store, folder)).filter(({ path }) => path.endsWith('.parquet'));
  for (const { path } of files) {
    const target = join(copy, path.slice(folder.length));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, await store.read(path));
  }
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  for (const area of areas)
    if (files.some(({ path }) => path.startsWith(`${folder}/${area}/`)))
      await connection.run(
        // A batch's leaf is named <generation>-<batch id>, and a generation is a UUID.
        `CREATE VIEW ${area} AS SELECT *, left(batch, 36) AS generation
         FROM read_parquet('${copy}/${area}/**/*.parquet', hive_partitioning = true, hive_types_autocast = false)`,
      );
  return {
    files,
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson(),
    close: async () => {
      connection.closeSync();
      instance.closeSync();
      await rm(copy, { recursive: true, force: true });
    },
  };
}

async function filesBelow(store: FileStore, folder: string): Promise<FileEntry[]> {
  const found: FileEntry[] = [];
  for (const entry of await store.list(folder))
    if (entry.isFolder) found.push(...(await filesBelow(store, entry.path)));
    else found.push(entry);
  return found;
}
