import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Pipeline } from './pipeline.js';

/** The processes of a run's driver, Java and its Python: those that work in the driver's folder of the stack's worker. */
export function driverProcesses({ config }: Pick<Pipeline, 'config'>, submissionId: string): number[] {
  const folder = join(config.native.dataDir, 'spark-worker', 'work', submissionId);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && folderOf(name) === folder)
    .map(Number);
}

/** The executors of all applications, Java and its Python: those that work in `app-…` of the stack's worker. */
export function executorProcesses({ config }: Pick<Pipeline, 'config'>): number[] {
  const folder = join(config.native.dataDir, 'spark-worker', 'work', 'app-');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && folderOf(name)?.startsWith(folder) === true)
    .map(Number);
}

/** The one of them that is Java, or the Python below it. */
export function driverProcess(
  pipeline: Pick<Pipeline, 'config'>,
  submissionId: string,
  kind: 'java' | 'python',
): number {
  const found = driverProcesses(pipeline, submissionId).find((pid) =>
    readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith(kind),
  );
  if (found === undefined) throw new Error(`${submissionId} has no process of ${kind}`);
  return found;
}

/** Kills each of them; one that ended between the look and the signal, as a child of the one before may, is passed over. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
}

function folderOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined; // it has ended
  }
}
