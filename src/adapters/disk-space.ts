import { statfs } from 'node:fs/promises';
import type { DiskSpace } from '../core/disk-space.js';

/** The space that an ordinary user may take, of the file system of each folder; a folder that is not there is left out. */
export async function readDiskSpace(paths: readonly string[]): Promise<DiskSpace[]> {
  const found = await Promise.all(
    paths.map((path) =>
      statfs(path).then(
        ({ bavail, blocks, bsize }) => ({ path, freeBytes: bavail * bsize, totalBytes: blocks * bsize }),
        () => undefined,
      ),
    ),
  );
  return found.filter((space) => space !== undefined);
}
