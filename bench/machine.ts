import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, freemem, loadavg, totalmem } from 'node:os';

/** What the numbers were measured on, and of which state of the code. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGb: number;
  readonly freeMemoryGb: number;
  readonly load: number;
  readonly node: string;
  readonly commit: string;
}

const gigabytes = (bytes: number): number => Math.round(bytes / 1e8) / 10;

/** Runnable processes, averaged over the last minute: what else wants the cores. */
export const loadNow = (): number => Math.round((loadavg()[0] ?? Number.NaN) * 10) / 10;

export function readMachine(): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGb: gigabytes(totalmem()),
    freeMemoryGb: gigabytes(freemem()),
    load: loadNow(),
    node: process.version,
    commit: commitOf(),
  };
}

function commitOf(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown (not a git checkout)';
  }
}
