import { createHash } from 'node:crypto';
import type { FileEntry, FileStore } from '../../src/core/ports/files.js';

/** A file store in memory. A path that ends with a slash is an empty folder; folders above a file are there by themselves. */
export function fakeFiles(content: Readonly<Record<string, Uint8Array>> = {}) {
  const files = new Map<string, Uint8Array>(Object.entries(content));
  const folders = new Set<string>();
  const reads: { readonly path: string; readonly length: number }[] = [];

  const entryOf = (path: string): FileEntry | undefined => {
    const bytes = files.get(path);
    const isFolder = folders.has(path) || [...files.keys()].some((file) => file.startsWith(`${path}/`));
    if (bytes === undefined && !isFolder) return undefined;
    return { path, isFolder, sizeBytes: bytes?.length ?? 0, modifiedAt: 0 };
  };
  const store: FileStore = {
    makeFolder: (path) => {
      folders.add(path);
      return Promise.resolve();
    },
    write: (path, bytes) => {
      files.set(path, bytes);
      return Promise.resolve();
    },
    read: (path, range) => {
      const bytes = files.get(path);
      if (bytes === undefined) return Promise.reject(new Error(`${path} is not there`));
      const { offset, length } = range ?? { offset: 0, length: bytes.length };
      reads.push({ path, length });
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
    sha256: (path) => {
      const bytes = files.get(path);
      return Promise.resolve(bytes && createHash('sha256').update(bytes).digest('hex'));
    },
    stat: (path) => Promise.resolve(entryOf(path)),
    list: (path) => {
      const names = [...files.keys(), ...folders]
        .filter((file) => file.startsWith(`${path}/`))
        .map((file) => file.slice(path.length + 1).split('/')[0] ?? '');
      const entries = [...new Set(names)].sort().map((name) => entryOf(`${path}/${name}`));
      return Promise.resolve(entries.filter((entry) => entry !== undefined));
    },
    summary: (path) => {
      const inside = [...files].filter(([file]) => file === path || file.startsWith(`${path}/`));
      if (inside.length === 0) return Promise.resolve(undefined);
      return Promise.resolve({
        files: inside.length,
        sizeBytes: inside.reduce((sum, [, bytes]) => sum + bytes.length, 0),
      });
    },
    rename: (from, to) => {
      for (const [file, bytes] of [...files])
        if (file === from || file.startsWith(`${from}/`)) {
          files.delete(file);
          files.set(`${to}${file.slice(from.length)}`, bytes);
        }
      return Promise.resolve();
    },
    remove: (path) => {
      for (const file of [...files.keys()])
        if (file === path || file.startsWith(`${path}/`)) files.delete(file);
      return Promise.resolve();
    },
  };
  return { store, files, folders, reads };
}
