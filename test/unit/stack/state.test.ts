import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, UnreachableError } from '../../../src/core/errors.js';
import { withLock } from '../../../src/stack/lock-file.js';
import { identityOf } from '../../../src/stack/process-table.js';
import { reportProcesses } from '../../../src/stack/report.js';
import { readState, updateState, type ProcessRecord } from '../../../src/stack/state.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stack-state-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const aRecord = (overrides: Partial<ProcessRecord> = {}): ProcessRecord => ({
  kind: 'server',
  portOffset: 0,
  pid: process.pid,
  started: identityOf(process.pid)?.started ?? '',
  startedAt: '2026-01-01T00:00:00.000Z',
  ports: { Kafka: 9092 },
  version: '4.3.1',
  logPath: '/nonexistent/kafka.log',
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 1000,
  ...overrides,
});

describe('the state file', () => {
  it('keeps every change of many writers at once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `process-${index}`);
    await Promise.all(names.map((name) => updateState(folder, (all) => (all[name] = aRecord()))));
    expect(Object.keys(readState(folder)?.processes ?? {}).sort()).toEqual([...names].sort());
  });

  it('is gone when the last process is', async () => {
    await updateState(folder, (all) => (all['kafka'] = aRecord()));
    await updateState(folder, (all) => Reflect.deleteProperty(all, 'kafka'));
    expect(existsSync(join(folder, 'state.json'))).toBe(false);
    expect(readState(folder)).toBeUndefined();
  });

  it('is refused with its path when it cannot be read', () => {
    writeFileSync(join(folder, 'state.json'), '{"schema":7}');
    expect(() => readState(folder)).toThrow(ConfigError);
    expect(() => readState(folder)).toThrow(join(folder, 'state.json'));
  });

  it('tells a running process from one that died and one that was never started', async () => {
    await updateState(folder, (all) => {
      all['kafka'] = aRecord();
      all['postgres'] = aRecord({ started: 'another boot/1' });
    });
    const states = Object.fromEntries(reportProcesses(folder).map(({ name, state }) => [name, state]));
    expect(states).toMatchObject({ kafka: 'running', postgres: 'died', 'name-node': 'stopped' });
  });
});

it('tells a command that waits to be started again from one that was', async () => {
  const at = (ms: number): ProcessRecord =>
    aRecord({
      kind: 'background',
      restarts: { count: 1, cause: 'exit code 1', at: new Date(Date.now() + ms).toISOString() },
    });
  await updateState(folder, (all) => Object.assign(all, { produce: at(60_000), sandbox: at(-1000) }));
  const own = reportProcesses(folder).filter(({ kind }) => kind === 'background');
  expect(own).toMatchObject([
    { name: 'produce', state: 'unhealthy', pid: process.pid, restarts: { count: 1, cause: 'exit code 1' } },
    { name: 'sandbox', state: 'running', pid: process.pid, restarts: { count: 1 } },
  ]);
});

describe('withLock', () => {
  const held = (): string => join(folder, 'some.lock');

  it('lets one at a time in', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 5 }, () => withLock(held(), { timeoutMs: 10_000 }, work)));
    expect(most).toBe(1);
    expect(existsSync(held())).toBe(false);
  });

  it('takes over the lock of a dead process', async () => {
    writeFileSync(held(), JSON.stringify({ pid: process.pid, started: 'another boot/1' }));
    expect(await withLock(held(), { timeoutMs: 1000 }, () => Promise.resolve('in'))).toBe('in');
  });

  it('names the holder when it waits and when it gives up', async () => {
    writeFileSync(held(), JSON.stringify(identityOf(process.ppid)));
    const holders: number[] = [];
    const tried = withLock(held(), { timeoutMs: 200, onWait: (pid) => holders.push(pid) }, () =>
      Promise.resolve(),
    );
    await expect(tried).rejects.toThrow(UnreachableError);
    await expect(tried).rejects.toThrow(`pid ${process.ppid}`);
    expect(holders).toEqual([process.ppid]);
  });

  it('is given back when the work fails', async () => {
    const work = (): Promise<never> => Promise.reject(new Error('broken'));
    await expect(withLock(held(), { timeoutMs: 1000 }, work)).rejects.toThrow('broken');
    expect(existsSync(held())).toBe(false);
  });
});
