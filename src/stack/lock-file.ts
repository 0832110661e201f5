import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnreachableError } from '../core/errors.js';
import { identityOf, isAlive, type ProcessId } from './process-table.js';

export interface LockOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called once, when somebody else holds the lock and we begin to wait. */
  readonly onWait?: (holder: number) => void;
}

/**
 * Runs `work` while holding a lock that other processes respect, and gives it back however `work` ends. A lock whose
 * holder is dead is taken over.
 * @throws UnreachableError when another process holds it for longer than `timeoutMs`.
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  mkdirSync(dirname(path), { recursive: true });
  let hasSaid = false;
  while (!tryLock(path)) {
    const holder = readHolder(path);
    if (holder !== undefined && !isAlive(holder)) {
      removeStale(path, holder);
      continue;
    }
    if (holder !== undefined && !hasSaid) options.onWait?.(holder.pid);
    hasSaid ||= holder !== undefined;
    if (Date.now() > deadline) throw heldTooLong(path, holder);
    await sleep(50, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** A link is made whole or not at all, so no one ever reads a lock without its holder. */
function tryLock(path: string): boolean {
  const own = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  writeFileSync(own, JSON.stringify(identityOf(process.pid)));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function readHolder(path: string): ProcessId | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessId;
  } catch {
    return undefined; // It was given back just now.
  }
}

function removeStale(path: string, dead: ProcessId): void {
  // Looked at once more: somebody else may have removed it and taken the lock since.
  if (readHolder(path)?.started === dead.started) rmSync(path, { force: true });
}

function heldTooLong(path: string, holder: ProcessId | undefined): UnreachableError {
  return new UnreachableError(
    `Another cryptopipe (pid ${holder?.pid ?? 'unknown'}) is at work in the same folder and holds ${path}`,
    { nextStep: 'Wait until it has ended, or end it, and try again.' },
  );
}
