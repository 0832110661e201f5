import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { awaitEndOfSessions } from '../../../src/stack/postgres-folder.js';

let base: string;
let folder: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'postgres-folder-'));
  folder = join(base, 'postgres');
  mkdirSync(folder);
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(base, { recursive: true, force: true });
});

async function start(command: string, args: string[], cwd: string): Promise<number> {
  child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child, 'spawn');
  return child.pid ?? -1;
}
const writeLock = (pid: number): void => writeFileSync(join(folder, 'postmaster.pid'), `${pid}\n${folder}\n`);

describe.runIf(process.platform === 'linux')('the lock of PostgreSQL', () => {
  it('is refused while a server works in the folder behind a symbolic link', async () => {
    const link = join(base, 'link');
    symlinkSync(folder, link);
    writeLock(await start('sleep', ['60'], folder));
    await expect(awaitEndOfSessions(link, 0)).rejects.toThrow('PostgreSQL already works in');
    expect(existsSync(join(folder, 'postmaster.pid'))).toBe(true);
  });

  it('stays for PostgreSQL to judge when no process is seen in the folder', async () => {
    writeLock(await start('sleep', ['60'], base)); // As a server in a container: no process works in the folder here.
    await awaitEndOfSessions(folder, 0);
    expect(readFileSync(join(folder, 'postmaster.pid'), 'utf8')).toBe(`${child?.pid ?? ''}\n${folder}\n`);
  });

  it('is waited for while its server has ended and is not reaped', async () => {
    // The shell becomes a sleep that never asks about its child.
    await start('sh', ['-c', 'sleep 0 & echo $!; exec sleep 1'], base);
    const [line] = (await once(child!.stdout!, 'data')) as [Buffer];
    const zombie = Number(line.toString());
    writeLock(zombie);
    await expect.poll(() => readFileSync(`/proc/${zombie}/stat`, 'utf8')).toContain(') Z ');
    await awaitEndOfSessions(folder, 15_000);
    expect(existsSync(`/proc/${zombie}`)).toBe(false);
    expect(existsSync(join(folder, 'postmaster.pid'))).toBe(true);
  });
});
