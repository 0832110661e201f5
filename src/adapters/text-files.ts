import { readFileSync } from 'node:fs';
import { UsageError } from '../core/errors.js';
import type { TextFiles } from '../core/ports/check.js';

/** The files of this computer. */
export const textFiles: TextFiles = {
  read: (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : code;
      throw new UsageError(`${path} cannot be read: ${why ?? String(cause)}`, { cause });
    }
  },
};
