import { readFileSync } from 'node:fs';
import { UsageError } from '../core/errors.js';
import type { TextFiles } from '../core/ports/check.js';

/** Why a file cannot be read, in words where the system has only a code. */
export function whyUnread(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  return code === 'EISDIR' ? 'it is a folder' : (code ?? message);
}

/** The files of this computer. */
export const textFiles: TextFiles = {
  read: (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      throw new UsageError(`${path} cannot be read: ${whyUnread(cause)}`, { cause });
    }
  },
};
