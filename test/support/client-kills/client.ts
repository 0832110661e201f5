import { spawn } from 'node:child_process';
import { join } from 'node:path';

const program = join(import.meta.dirname, '../../../dist/main.js');

/** The built program as a process that can be killed at any instant. */
export interface Client {
  readonly startedAt: number;
  /** SIGKILL to this process, by its pid; false where it had ended by itself. */
  kill(): boolean;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

export function startClient(env: Readonly<Record<string, string>>, args: readonly string[]): Client {
  const startedAt = Date.now();
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, out, err, ms: Date.now() - startedAt }));
  });
  const kill = (): boolean => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
    return process.kill(child.pid, 'SIGKILL');
  };
  return { startedAt, kill, ended };
}
