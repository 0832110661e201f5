import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../core/errors.js';
import { isZombie } from './process-table.js';

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

/** The server that `postmaster.pid` names has ended, and its parent has not been told yet. */
const isEnding = (lock: string): boolean => isZombie(Number.parseInt(readFileSync(lock, 'utf8'), 10));

/**
 * Waits for what is left of a killed PostgreSQL: its sessions end by themselves when they find that their server is gone,
 * and PostgreSQL takes its pid for a living server until it is reaped. `postmaster.pid` stays whatever is found: the new
 * server checks it, and the shared memory that it names, and replaces it when no server is left.
 * @throws ConfigError when a server still works there.
 */
export async function awaitEndOfSessions(folder: string, timeoutMs = 15_000): Promise<void> {
  const lock = join(folder, 'postmaster.pid');
  if (process.platform !== 'linux') return;
  const deadline = Date.now() + timeoutMs;
  while (existsSync(lock)) {
    const pids = workingIn(folder);
    if (pids.length === 0 && !isEnding(lock)) return;
    if (Date.now() > deadline) {
      if (pids.length === 0) return;
      throw new ConfigError(`PostgreSQL already works in ${folder} (pid ${pids.join(', ')})`, {
        nextStep: 'Stop that server, or use another --data-dir.',
      });
    }
    await sleep(100);
  }
}
