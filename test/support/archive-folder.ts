import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { zipOf } from './zip.js';

/** A folder with the tree of the exchange's archive. */
export interface ArchiveFolder {
  readonly folder: string;
  /** The same as an address. */
  readonly url: string;
  /** Puts a zip with this CSV and its checksum there; `checksum` replaces the right one, null leaves the file out. */
  add(path: string, csv: string, checksum?: string | null): void;
}

/** An empty archive in a folder of its own; who makes it takes it away. */
export function archiveFolder(): ArchiveFolder {
  const folder = mkdtempSync(join(tmpdir(), 'cryptopipe-archive-'));
  return {
    folder,
    url: pathToFileURL(folder).href,
    add: (path, csv, checksum) => {
      const name = basename(path);
      const zip = zipOf({ [name.replace(/\.zip$/, '.csv')]: csv });
      const right = `${createHash('sha256').update(zip).digest('hex')}  ${name}\n`;
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), zip);
      if (checksum !== null) writeFileSync(join(folder, `${path}.CHECKSUM`), checksum ?? right);
    },
  };
}
