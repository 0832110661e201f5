import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnreachableError } from '../core/errors.js';
import { identityOf, isAlive, membersOf, type ProcessId } from './process-table.js';
import { shiftLogs } from './rotating-log.js';
import type { Command } from './server.js';

export interface StartedProcess extends ProcessId {
  /** How it ended, once it has: `exit code 1`, `signal SIGKILL`. */
  readonly ended: () => string | undefined;
  /** Undefined while it runs, and where a signal ended it. */
  readonly exitCode: () => number | undefined;
}

/**
 * Starts a program that outlives us: in a session of its own, its output in `logPath` (the log before stays beside it
 * as `.1`, and so on up to `keptLogs`), its input closed.
 */
export async function startDetached(
  command: Command,
  logPath: string,
  keptLogs = 1,
): Promise<StartedProcess> {
  await mkdir(dirname(logPath), { recursive: true, mode: 0o700 });
  shiftLogs(logPath, keptLogs);
  const log = openSync(logPath, 'a', 0o600);
  try {
    const child = spawn(command.file, command.args, {
      cwd: command.cwd,
      env: command.env,
      detached: true,
      stdio: ['ignore', log, log],
      ...(command.uid === undefined ? {} : { uid: command.uid, gid: command.gid }),
    });
    let ended: string | undefined;
    child.on(
      'exit',
      (code, signal) => (ended = signal === null ? `exit code ${code ?? -1}` : `signal ${signal}`),
    );
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) =>
        reject(new UnreachableError(`${command.file} could not be started: ${cause.message}`, { cause })),
      );
    });
    child.unref();
    const pid = child.pid ?? -1;
    // A process that ended within the first moment has no start time any more; its pid alone says as much.
    return {
      pid,
      started: identityOf(pid)?.started ?? 'ended',
      ended: () => ended,
      exitCode: () => child.exitCode ?? undefined,
    };
  } finally {
    closeSync(log);
  }
}

/**
 * Ends a detached process and all that it started: the signal to its group, then SIGKILL to whatever lives after
 * `timeoutMs`. Returns how it went; `gone` where nothing was left to end.
 */
export async function endProcess(
  id: ProcessId,
  signal: 'SIGTERM' | 'SIGINT',
  timeoutMs: number,
): Promise<'gone' | 'ended' | 'killed'> {
  // Seen now, because a child that leads its own session cannot be found any more when its parent is dead.
  const known = membersOf(id);
  if (known.length === 0) return 'gone';
  send(-id.pid, signal);
  if (await areGone(id, known, timeoutMs)) return 'ended';
  for (const member of living(id, known)) send(member.pid, 'SIGKILL');
  if (await areGone(id, known, 5000)) return 'killed';
  const left = living(id, known).map((member) => member.pid);
  throw new UnreachableError(`Process ${left.join(', ')} does not end, not even by SIGKILL`, {
    nextStep: 'It may wait for a disk or belong to another user; end it by hand and call `stack down` again.',
  });
}

function living(id: ProcessId, known: readonly ProcessId[]): ProcessId[] {
  const all = new Map([...known.filter(isAlive), ...membersOf(id)].map((member) => [member.pid, member]));
  return [...all.values()];
}

async function areGone(id: ProcessId, known: readonly ProcessId[], timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (living(id, known).length > 0) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended between our look and our signal, or the group is empty while a member with its own group lives.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
