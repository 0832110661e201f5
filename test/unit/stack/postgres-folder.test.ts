import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/core/errors.js';
import { clearStaleLock, holdsCluster } from '../../../src/stack/postgres-folder.js';

let base: string;
let folder: string;
let marker: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'postgres-folder-'));
  folder = join(base, 'postgres');
  marker = `${folder}.initialized`;
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function makeCluster(): void {
  mkdirSync(join(folder, 'global'), { recursive: true });
  writeFileSync(join(folder, 'PG_VERSION'), '18\n');
  writeFileSync(join(folder, 'global', 'pg_control'), 'control');
}

describe('the data folder of PostgreSQL', () => {
  it('is to be made where nothing is', () => {
    expect(holdsCluster(folder, marker)).toBe(false);
  });

  it('is used without our marker beside it', () => {
    makeCluster();
    expect(holdsCluster(folder, marker)).toBe(true);
  });

  it('is refused and kept when the cluster in it is incomplete', () => {
    makeCluster();
    rmSync(join(folder, 'global', 'pg_control'));
    expect(() => holdsCluster(folder, marker)).toThrow(ConfigError);
    expect(existsSync(join(folder, 'PG_VERSION'))).toBe(true);
  });

  it('is not made again when it was there before', () => {
    writeFileSync(marker, '');
    expect(() => holdsCluster(folder, marker)).toThrow('The data of PostgreSQL are missing');
  });
});

describe.runIf(process.platform === 'linux')('the lock of PostgreSQL', () => {
  let server: ChildProcess | undefined;
  afterEach(() => server?.kill('SIGKILL'));

  it('stays while a server works in the folder behind a symbolic link', async () => {
    makeCluster();
    const link = join(base, 'link');
    symlinkSync(folder, link);
    const lock = join(link, 'postmaster.pid');
    server = spawn('sleep', ['60'], { cwd: folder });
    await once(server, 'spawn');
    writeFileSync(lock, `${server.pid ?? ''}\n`);
    await expect(clearStaleLock(link, 0)).rejects.toThrow('PostgreSQL already works in');
    expect(existsSync(lock)).toBe(true);
  });
});
