import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../core/errors.js';

/** Processes that work in a folder, by /proc; zombies and other users' processes are not seen. */
function workingIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === folder;
      } catch {
        return false;
      }
    })
    .map(Number);
}

/**
 * Takes away the lock that a killed PostgreSQL leaves. It would do so itself, but it takes a dead server for a living one
 * as long as nobody has reaped it, or when its pid is given to another program. Its remaining sessions must have ended
 * before, which they do by themselves when they see that their server is gone: two servers in one folder destroy it.
 * @throws ConfigError when a server still works there.
 */
export async function clearStaleLock(folder: string, timeoutMs = 15_000): Promise<void> {
  const lock = join(folder, 'postmaster.pid');
  if (process.platform !== 'linux' || !existsSync(lock)) return;
  const deadline = Date.now() + timeoutMs;
  for (let pids = workingIn(folder); pids.length > 0; pids = workingIn(folder)) {
    if (Date.now() > deadline) {
      throw new ConfigError(`PostgreSQL already works in ${folder} (pid ${pids.join(', ')})`, {
        nextStep: 'Stop that server, or use another --data-dir.',
      });
    }
    await sleep(100);
  }
  await rm(lock, { force: true });
}
