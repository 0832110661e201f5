import { parquetMetadataAsync } from 'hyparquet';
import pLimit from 'p-limit';
import { JobFailedError } from '../core/errors.js';
import type { FileEntry, FileStore } from '../core/ports/files.js';
import type { Lake, LakeLeaf } from '../core/ports/lake.js';

/** How many calls run at once; more would only queue up in the NameNode. */
const callsAtOnce = 8;
/** The footer of our files is 2 to 6 kB; a longer one costs a second read. */
const footerGuessBytes = 16 * 1024;

/** The lake's folders over any file store; rows come from the Parquet footers, nothing else of a file is read. */
export function createParquetLake(files: FileStore): Lake {
  const limit = pLimit(callsAtOnce);

  async function leavesOf(folder: string): Promise<LakeLeaf[]> {
    const entries = (await limit(() => files.list(folder))).filter(({ path }) => !isHidden(path));
    const data = entries.filter(({ path, isFolder }) => !isFolder && path.endsWith('.parquet'));
    const rows = await Promise.all(data.map((file) => limit(() => rowsOf(files, file))));
    const found = rows.flatMap((count, index) => {
      const file = data[index];
      return count === undefined || file === undefined ? [] : [{ count, sizeBytes: file.sizeBytes }];
    });
    const below = await Promise.all(
      entries.filter(({ isFolder }) => isFolder).map(({ path }) => leavesOf(path)),
    );
    const own = {
      path: folder,
      files: found.length,
      rows: found.reduce((sum, { count }) => sum + count, 0),
      sizeBytes: found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    };
    return [...(found.length > 0 ? [own] : []), ...below.flat()];
  }

  return { leaves: (folder) => leavesOf(folder.replace(/\/+$/, '')) };
}

/** Spark writes below `_temporary` and `.spark-staging-…` and moves what is whole into place. */
const isHidden = (path: string): boolean => /\/[._][^/]*$/.test(path);

/** Undefined where the file is gone: a batch that runs again replaces its leaf while we look. */
async function rowsOf(files: FileStore, file: FileEntry): Promise<number | undefined> {
  try {
    const metadata = await parquetMetadataAsync(
      {
        byteLength: file.sizeBytes,
        slice: async (start, end = file.sizeBytes) => {
          const bytes = await files.read(file.path, { offset: start, length: end - start });
          return Uint8Array.from(bytes).buffer;
        },
      },
      { initialFetchSize: footerGuessBytes },
    );
    return Number(metadata.num_rows);
  } catch (error) {
    const now = await files.stat(file.path);
    if (now === undefined) return undefined;
    if (now.sizeBytes !== file.sizeBytes) return rowsOf(files, now);
    throw new JobFailedError(`${file.path} is no whole Parquet file: ${(error as Error).message}`, {
      nextStep: 'Remove its folder and run the batch again; the topic still has its records.',
      cause: error,
    });
  }
}
