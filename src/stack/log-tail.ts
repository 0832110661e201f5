import { readdirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const mostBytes = 256 * 1024;

/**
 * The last lines of a log, looking at its last 256 KB only; empty where there is no such file.
 * @param path the file; or a folder of logs, of which the one that was written last is read
 * @param options.since in ms of the epoch: a log that nobody has written since then is empty
 */
export async function logTail(
  path: string,
  lines: number,
  { since = 0 }: { readonly since?: number } = {},
): Promise<string> {
  try {
    const file = await open(newestOf(path), 'r');
    try {
      const { size, mtimeMs } = await file.stat();
      // A file system may count in whole seconds.
      if (mtimeMs < since - 1000) return '';
      const length = Math.min(size, mostBytes);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** The file itself, or the file of a folder that was written last. @throws ENOENT where there is none. */
function newestOf(path: string): string {
  if (!statSync(path).isDirectory()) return path;
  const files = readdirSync(path).map((name) => join(path, name));
  const writtenAt = (file: string): number => statSync(file).mtimeMs;
  return files.sort((a, b) => writtenAt(b) - writtenAt(a))[0] ?? join(path, 'log');
}

/** The last line of a log's end that fits, if any. */
export const lastLine = (log: string, pattern: RegExp): string | undefined =>
  log.split('\n').findLast((line) => pattern.test(line));
