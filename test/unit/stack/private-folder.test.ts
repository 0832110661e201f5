import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/core/errors.js';
import { databasePlace } from '../../../src/stack/install/postgres-user.js';
import { makeDataDir, makePrivateFolder } from '../../../src/stack/private-folder.js';

let base: string;
beforeEach(() => (base = mkdtempSync(join(tmpdir(), 'private-folder-'))));
afterEach(() => rmSync(base, { recursive: true, force: true }));

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('the folders of the native stack', () => {
  it('are made for their owner alone; as root others pass through the data folder', async () => {
    const dataDir = join(base, 'data');
    await makeDataDir(dataDir);
    expect(modeOf(dataDir)).toBe(process.getuid?.() === 0 ? '711' : '700');
    await makePrivateFolder(join(dataDir, 'kafka'));
    expect(modeOf(join(dataDir, 'kafka'))).toBe('700');
  });

  it('are closed where an earlier version left them open; a data folder keeps its mode', async () => {
    chmodSync(base, 0o755);
    await makeDataDir(base);
    expect(modeOf(base)).toBe('755');
    mkdirSync(join(base, 'work'), { mode: 0o755 });
    await makePrivateFolder(join(base, 'work'));
    expect(modeOf(join(base, 'work'))).toBe('700');
  });

  it('need a place where a folder can be made', async () => {
    writeFileSync(join(base, 'file'), '');
    await expect(makeDataDir(join(base, 'file', 'data'))).rejects.toThrow(ConfigError);
    await expect(makeDataDir(join(base, 'file', 'data'))).rejects.toThrow(
      /The data folder .*data cannot be used: /,
    );
  });
});

describe('the place of the database when the stack runs as root', () => {
  const elsewhere = (): string => {
    mkdirSync(join(base, 'elsewhere'), { recursive: true });
    return join(base, 'elsewhere');
  };
  const never = (): string => expect.fail('another place was chosen');

  it('is the data folder where its user can enter it', () => {
    expect(databasePlace(base, () => true, never)).toBe(base);
  });

  it('is remembered in the data folder, so that a moved one keeps its database', () => {
    const dataDir = join(base, 'moved');
    mkdirSync(dataDir);
    expect(databasePlace(dataDir, (folder) => folder !== dataDir, elsewhere)).toBe(join(base, 'elsewhere'));
    expect(databasePlace(dataDir, () => true, never)).toBe(join(base, 'elsewhere'));
    rmSync(join(base, 'elsewhere'), { recursive: true });
    expect(() => databasePlace(dataDir, () => true, never)).toThrow(
      /PostgreSQL's data are in .*elsewhere .*cannot be entered/,
    );
  });

  it('is never changed while there is a database in a data folder that was closed', () => {
    mkdirSync(join(base, 'postgres'));
    writeFileSync(join(base, 'postgres', 'PG_VERSION'), '18\n');
    expect(() => databasePlace(base, () => false, never)).toThrow(
      `PostgreSQL's data are in ${base}, which is closed to the user that it runs as`,
    );
  });
});
