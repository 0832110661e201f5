import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/core/errors.js';
import { hdfsFolders, requireNoBlocks, requireSameHdfs } from '../../../src/stack/hdfs-folders.js';

let dataDir: string;
let folders: ReturnType<typeof hdfsFolders>;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'hdfs-folders-'));
  folders = hdfsFolders({ dataDir });
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

function write(folder: { path: string }, values: Record<string, string>): void {
  const file = join(folder.path, 'current', 'VERSION');
  mkdirSync(dirname(file), { recursive: true });
  const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(file, `#Fri Nov 27 20:00:00 UTC 2026\n${lines.join('')}`);
}
const pool = (name: string): string => join(folders.data.path, 'current', name);
const check = (): void => requireSameHdfs(folders.data, folders.name, 'Restore.');

describe('the folder of a DataNode', () => {
  beforeEach(() => write(folders.name, { clusterID: 'CID-1', blockpoolID: 'BP-1-127.0.0.1-1' }));

  it('may be new, or of the same HDFS', () => {
    expect(check).not.toThrow();
    write(folders.data, { clusterID: 'CID-1', storageType: 'DATA_NODE' });
    expect(check).not.toThrow();
    mkdirSync(pool('BP-1-127.0.0.1-1'));
    expect(check).not.toThrow();
  });

  it('is refused with the ids of both when it is of another cluster', () => {
    write(folders.data, { clusterID: 'CID-2' });
    expect(check).toThrow(ConfigError);
    expect(check).toThrow(
      `${folders.data.path} of the DataNode belongs to another HDFS (CID-2) than ${folders.name.path} of the NameNode (CID-1, BP-1-127.0.0.1-1)`,
    );
  });

  it('is refused when its blocks are of a NameNode that was formatted again with the same cluster id', () => {
    write(folders.data, { clusterID: 'CID-1' });
    mkdirSync(pool('BP-0-127.0.0.1-0'), { recursive: true });
    expect(check).toThrow('belongs to another HDFS (CID-1, BP-0-127.0.0.1-0)');
  });

  it('forbids an empty NameNode beside it, and stays', () => {
    expect(() => requireNoBlocks(folders)).not.toThrow();
    write(folders.data, { clusterID: 'CID-1' });
    expect(() => requireNoBlocks(folders)).toThrow(
      `The data of the NameNode are missing: there is nothing in ${folders.name.path}, but ${folders.data.path} holds blocks`,
    );
    expect(existsSync(join(folders.data.path, 'current', 'VERSION'))).toBe(true);
  });
});

describe('the folder of a SecondaryNameNode', () => {
  it('is refused when its checkpoints are of another HDFS', () => {
    write(folders.name, { clusterID: 'CID-1', blockpoolID: 'BP-1' });
    write(folders.checkpoints, { clusterID: 'CID-2', blockpoolID: 'BP-2' });
    expect(() => requireSameHdfs(folders.checkpoints, folders.name, 'Move it.')).toThrow(
      'another HDFS (CID-2, BP-2)',
    );
  });
});
