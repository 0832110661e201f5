import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { UsageError } from '../core/errors.js';
import { whyUnread } from './text-files.js';
import type { LocalFiles } from '../core/ports/local-files.js';

/** A file is held in memory as a whole while it is hashed and stored. */
const maxBytes = 512 * 1024 * 1024;

/** A comma ends an entry of Spark's lists, and a blank or a `%` is not the same in every address. */
const safeName = (path: string): string => basename(path).replaceAll(/[^A-Za-z0-9._+-]/g, '_');

async function requireReadable(path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new UsageError(`${path} cannot be read: ${whyUnread(cause)}`, {
      nextStep: 'Name a file of this computer, or an address that the workers reach (hdfs:, https:, s3a:).',
      cause,
    });
  });
  if (!found.isFile()) throw new UsageError(`${path} is not a file`);
  if (found.size > maxBytes)
    throw new UsageError(`${path} has ${found.size} bytes, which is more than ${maxBytes}`, {
      nextStep: 'Put it into HDFS yourself and name its address.',
    });
}

export const localFiles: LocalFiles = {
  load: async (path) => {
    await requireReadable(path);
    const content = await readFile(path);
    return { name: safeName(path), sha256: createHash('sha256').update(content).digest('hex'), content };
  },
};
