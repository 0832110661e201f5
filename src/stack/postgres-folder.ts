import { existsSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../core/errors.js';

/**
 * Whether the folder holds a database cluster; false where one is still to be made. Nothing is ever removed from it.
 * @param marker a file that `stack up` writes beside the folder once the cluster is made
 * @throws ConfigError when the cluster was made and is not there, or when the folder holds something else.
 */
export function holdsCluster(folder: string, marker: string): boolean {
  if (existsSync(join(folder, 'PG_VERSION')) && existsSync(join(folder, 'global', 'pg_control'))) return true;
  const isEmpty = !existsSync(folder) || readdirSync(folder).length === 0;
  if (isEmpty && !existsSync(marker)) return false;
  throw new ConfigError(
    isEmpty
      ? `The data of PostgreSQL are missing: ${folder} is empty, and a cluster was made there before`
      : `${folder} holds files that are no complete cluster of PostgreSQL`,
    {
      nextStep: isEmpty
        ? `Mount or restore the folder. To begin with an empty database, remove ${marker}.`
        : 'Move the folder away or restore it; it is neither changed nor removed.',
    },
  );
}

/** Processes that work in a folder, by /proc; zombies and other users' processes are not seen. */
function workingIn(folder: string): number[] {
  const place = realpathSync(folder); // /proc names it without symbolic links.
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === place;
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
