import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ProcessId } from '../../src/stack/process-table.js';

const loopback = ['0100007F', '0000000000000000FFFF00000100007F', '00000000000000000000000001000000'];

/** The addresses on which these processes listen, as Linux writes them in hex. */
export function listeningOf(processes: readonly ProcessId[]): string[] {
  const inodes = new Set(processes.flatMap(({ pid }) => socketsOf(pid)));
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && inodes.has(fields[9] ?? ''))
      .map((fields) => fields[1]?.split(':')[0] ?? ''),
  );
}

export const isLoopbackAddress = (address: string): boolean => loopback.includes(address);

function socketsOf(pid: number): string[] {
  const text = execFileSync('sh', ['-c', `ls -l /proc/${pid}/fd`], { encoding: 'utf8' });
  return [...text.matchAll(/socket:\[(\d+)\]/g)].map((match) => match[1]!);
}
