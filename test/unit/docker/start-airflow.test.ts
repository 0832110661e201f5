import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { root } from '../../support/compose/describe-checks.js';

// start-airflow.sh as it is, with a stand-in for the program `airflow`.

vi.setConfig({ testTimeout: 60_000 });
let folder: string;
const subprocesses: { kill(signal: 'SIGKILL'): boolean }[] = [];
const path = (...names: string[]): string => join(folder, ...names);

/** Each part prints its arguments, writes its process id and waits for a signal. */
const standIn = `#!/usr/bin/env python3
import os, pathlib, signal, sys
name = sys.argv[1]
leaks = [key for key, value in os.environ.items() if key.startswith("AIRFLOW__") or "quoted" in value]
print("call", *sys.argv[1:], *leaks, flush=True)
if name == "db" and os.environ.get("MIGRATION") != "slow":
    sys.exit(int(os.environ.get("MIGRATION", "0")))
def stop(*_):
    print("stopped", name, flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if os.environ.get("STUBBORN") == name else stop)
pathlib.Path(os.environ["PIDS"], name).write_text(str(os.getpid()))
print("started", name, flush=True)
while True:
    signal.pause()
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-airflow-'));
  for (const name of ['bin', 'keys', 'logs', 'pids']) mkdirSync(path(name));
  writeFileSync(path('bin', 'airflow'), standIn, { mode: 0o755 });
  writeFileSync(path('keys', 'airflow-admin-password'), 'a "quoted" \\ word\n');
});
afterEach(() => {
  // Nothing outlives a test that has failed.
  subprocesses.splice(0).forEach((subprocess) => subprocess.kill('SIGKILL'));
  for (const part of readdirSync(path('pids')))
    try {
      process.kill(pidOf(part), 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  rmSync(folder, { recursive: true, force: true });
});

function start(env: Record<string, string> = {}) {
  const lines: string[] = [];
  const subprocess = execa(join(root, 'docker/airflow/start-airflow.sh'), {
    env: {
      ...{ PATH: `${path('bin')}:${process.env['PATH'] ?? ''}`, PIDS: path('pids') },
      ...{ KEYS_DIR: path('keys'), AIRFLOW_HOME: folder, ...env },
    },
    extendEnv: false,
    reject: false,
  });
  subprocesses.push(subprocess);
  subprocess.stdout.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trimEnd().split('\n')));
  const of = (word: string): string[] => lines.filter((line) => line.startsWith(word)).sort();
  const started = (count: number) =>
    vi.waitFor(() => expect(of('started')).toHaveLength(count), { timeout: 20_000 });
  return { subprocess, of, started };
}

const parts = ['api-server', 'dag-processor', 'scheduler', 'triggerer'];
const pidOf = (part: string): number => Number(readFileSync(path('pids', part), 'utf8'));

it('migrates the database, then runs the four parts, without a secret in their environment', async () => {
  const { subprocess, of, started } = start();
  await started(4);
  expect(of('call')).toEqual([
    'call api-server',
    'call dag-processor',
    'call db migrate',
    'call scheduler --skip-serve-logs',
    'call triggerer --skip-serve-logs',
  ]);
  const file = path('simple_auth_manager_passwords.json.generated');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ admin: 'a "quoted" \\ word' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  subprocess.kill('SIGTERM');
  await subprocess;
});

it.each(parts)('fails when the %s ends, so that Docker starts all parts again', async (part) => {
  const { subprocess, of, started } = start();
  await started(4);
  process.kill(pidOf(part), 'SIGKILL');
  const { exitCode, stderr } = await subprocess;
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`error: Airflow's ${part} has ended with exit code 137; stopping the others`);
  expect(of('stopped')).toEqual(parts.filter((other) => other !== part).map((other) => `stopped ${other}`));
});

it('stops every part in order at the stop signal', async () => {
  const { subprocess, of, started } = start();
  await started(4);
  subprocess.kill('SIGTERM');
  expect((await subprocess).exitCode).toBe(143);
  expect(of('stopped')).toEqual(parts.map((part) => `stopped ${part}`));
});

it('kills a part that ignores the stop signal', async () => {
  const { subprocess, of, started } = start({ STUBBORN: 'scheduler', STOP_SECONDS: '1' });
  await started(4);
  subprocess.kill('SIGTERM');
  expect((await subprocess).exitCode).toBe(143);
  expect(of('stopped')).toEqual(
    parts.filter((part) => part !== 'scheduler').map((part) => `stopped ${part}`),
  );
  expect(() => process.kill(pidOf('scheduler'), 0)).toThrow('ESRCH');
});

it('starts no part without a migrated database', async () => {
  const { subprocess, of } = start({ MIGRATION: '7' });
  expect((await subprocess).exitCode).toBe(7);
  expect(of('call')).toEqual(['call db migrate']);
});

it('can be stopped during the migration', async () => {
  const { subprocess, of, started } = start({ MIGRATION: 'slow' });
  await started(1);
  subprocess.kill('SIGTERM');
  expect((await subprocess).exitCode).toBe(143);
  expect(of('stopped')).toEqual(['stopped db']);
  expect(of('call')).toEqual(['call db migrate']);
});

it('removes logs of tasks after fifteen days', async () => {
  const daysAgo = (days: number): number => Date.now() / 1000 - days * 86_400;
  for (const [name, days] of [['old.log', 17] as const, ['new.log', 14] as const]) {
    writeFileSync(path('logs', name), '');
    utimesSync(path('logs', name), daysAgo(days), daysAgo(days));
  }
  const { subprocess, started } = start();
  await started(4);
  await vi.waitFor(() => expect(existsSync(path('logs', 'old.log'))).toBe(false), { timeout: 20_000 });
  subprocess.kill('SIGTERM');
  await subprocess;
  expect(existsSync(path('logs', 'new.log'))).toBe(true);
});
