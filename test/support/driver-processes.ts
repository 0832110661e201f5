import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Pipeline } from './pipeline.js';

/** The processes of a run's driver, Java and its Python: those that work in the driver's folder of the stack's worker. */
export function driverProcesses({ config }: Pipeline, submissionId: string): number[] {
  const folder = join(config.native.dataDir, 'spark-worker', 'work', submissionId);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && folderOf(name) === folder)
    .map(Number);
}

function folderOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined; // it has ended
  }
}
