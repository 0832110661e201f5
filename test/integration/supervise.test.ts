import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Background } from '../../src/core/ports/background.js';
import type { ProcessReport } from '../../src/core/ports/stack.js';
import { createBackground } from '../../src/stack/background.js';
import { identityOf, isAlive, membersOf } from '../../src/stack/process-table.js';
import { readState } from '../../src/stack/state.js';
import { backgroundSettings } from '../support/background-settings.js';
import { idOf, programOf } from '../support/supervised.js';

const root = join(tmpdir(), 'cryptopipe-test');
const sandboxPort = 19_090;
let dataDir: string;
let background: Background;

/** Stands for our own program: ends with the code in the file `crash` as soon as there is one; prints so many lines. */
const program = `
import { existsSync, readFileSync } from 'node:fs';
const [, lines = 0] = process.argv.slice(2);
const file = process.env.CRYPTOPIPE_DATA_DIR + '/crash';
console.log('arguments', process.argv.slice(2).join(' '));
for (let index = 0; index < Number(lines); index++)
  (index % 2 ? console.error : console.log)('line', String(index).padStart(7, '0'), 'x'.repeat(180));
const end = () => { console.log('ended in order'); process.exit(0); };
process.on('SIGTERM', end);
process.on('disconnect', end);
setInterval(() => existsSync(file) && process.exit(Number(readFileSync(file, 'utf8'))), 20);
`;

beforeEach(() => {
  mkdirSync(root, { recursive: true });
  dataDir = mkdtempSync(join(root, 'supervise-'));
  writeFileSync(join(dataDir, 'program.mjs'), program);
  background = createBackground(backgroundSettings(dataDir, join(dataDir, 'program.mjs')));
});
afterEach(async () => {
  for (const { name } of await background.list()) await background.stop(name, 5000);
  rmSync(dataDir, { recursive: true, force: true });
});

const report = async (): Promise<ProcessReport | undefined> => (await background.list())[0];
const log = (): string => readFileSync(join(dataDir, 'logs', 'produce.log'), 'utf8');
const crashWith = (exitCode: number): void => writeFileSync(join(dataDir, 'crash'), String(exitCode));
const crashNoMore = (): void => rmSync(join(dataDir, 'crash'));

const within = (ms: number) => ({ timeout: ms, interval: 20 });

describe('a command in the background', () => {
  it('that is killed is back at once under the same supervisor, and ends with that one', async () => {
    background = createBackground(
      backgroundSettings(dataDir, join(import.meta.dirname, '../../dist/main.js'), { portOffset: 11_000 }),
    );
    const answers = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${sandboxPort}/api/v3/time`)).ok;
    const started = await background.start({
      name: 'sandbox',
      args: ['sandbox', '--port', String(sandboxPort)],
      ports: { sandbox: sandboxPort },
      ready: async () => {
        await answers();
      },
    });
    const before = programOf(started);
    process.kill(before.pid, 'SIGKILL');
    await expect.poll(() => programOf(started).pid === before.pid, within(10_000)).toBe(false);
    await expect.poll(answers, within(20_000)).toBe(true);
    expect(await report()).toMatchObject({
      ...{ name: 'sandbox', pid: started.pid, state: 'running' },
      restarts: { count: 1, cause: 'signal SIGKILL' },
    });
    const after = programOf(started);
    process.kill(started.pid!, 'SIGKILL');
    await expect.poll(() => isAlive(after), within(2000)).toBe(false);
  });

  it('ends with its supervisor, and both are started again by `stack up`', async () => {
    const first = await background.start({ name: 'produce', args: ['produce'] });
    const before = programOf(first);
    process.kill(first.pid!, 'SIGKILL');
    await expect.poll(() => isAlive(before), within(2000)).toBe(false);
    await expect.poll(report, within(5000)).toMatchObject({ state: 'died', pid: undefined });
    const [second] = await background.resume();
    expect(second).toMatchObject({ name: 'produce', state: 'running' });
    expect(programOf(second!).pid).not.toBe(before.pid);
  });

  it('is started again with a growing wait, each time as at first but for what is meant for the first start', async () => {
    const { pid } = await background.start({
      name: 'produce',
      args: ['produce', '0'],
      firstArgs: ['--ignore-cursor'],
    });
    expect(log()).toBe('arguments produce 0 --ignore-cursor\n');
    crashWith(4);
    await expect.poll(async () => (await report())?.restarts?.count, within(15_000)).toBe(2);
    const waiting = await report();
    expect(waiting).toMatchObject({ pid, state: 'unhealthy', restarts: { count: 2, cause: 'exit code 4' } });
    crashNoMore();
    await expect.poll(async () => (await report())?.state, within(5000)).toBe('running');
    await expect
      .poll(() => log().match(/^arguments.*$/gm), within(5000))
      .toEqual(['arguments produce 0 --ignore-cursor', 'arguments produce 0', 'arguments produce 0']);
    const waits = [...log().matchAll(/produce starts again in ([\d.]+) s/g)].map(([, seconds]) =>
      Number(seconds),
    );
    expect(waits).toHaveLength(2);
    expect(waits[0]).toBeLessThanOrEqual(1);
    expect(waits[1]).toBeGreaterThanOrEqual(1);
  });

  it('that waits to be started again is started at once by `stack up`', async () => {
    const first = await background.start({ name: 'produce', args: ['produce'] });
    crashWith(1);
    await expect.poll(async () => (await report())?.restarts?.count, within(15_000)).toBe(3);
    crashNoMore();
    const [second] = await background.resume();
    expect(second).toMatchObject({ name: 'produce', state: 'running' });
    expect(second).not.toHaveProperty('restarts');
    expect(second?.pid).not.toBe(first.pid);
    expect(identityOf(first.pid!)).toBeUndefined();
  });

  it.each([0, 2, 3, 5])('is not started again after exit code %d', async (exitCode) => {
    const { pid } = await background.start({ name: 'produce', args: ['produce'] });
    crashWith(exitCode);
    await expect.poll(() => identityOf(pid!), within(5000)).toBeUndefined();
    expect(await report()).toMatchObject({ state: 'died', pid: undefined });
    expect(log()).toBe('arguments produce\n');
  });

  it('that was resumed and ends at once stays in the state file, for the next `stack up`', async () => {
    const { pid } = await background.start({ name: 'produce', args: ['produce'] });
    process.kill(pid!, 'SIGKILL');
    crashWith(3);
    await expect.poll(async () => (await report())?.state, within(5000)).toBe('died');
    await expect(background.resume()).rejects.toMatchObject({ exitCode: 3 });
    expect(await report()).toMatchObject({ name: 'produce', state: 'died' });
    crashNoMore();
    expect(await background.resume()).toMatchObject([{ name: 'produce', state: 'running' }]);
  });

  it('ends in order, and is not started again, when its supervisor alone gets the signal', async () => {
    const started = await background.start({ name: 'produce', args: ['produce'] });
    const members = membersOf(idOf(started));
    process.kill(started.pid!, 'SIGTERM');
    await expect.poll(() => members.filter(isAlive), within(5000)).toEqual([]);
    expect(log()).toBe('arguments produce\nended in order\n');
  });

  it('leaves no process when it is stopped, running or waiting', async () => {
    const running = await background.start({ name: 'produce', args: ['produce'] });
    const members = membersOf(idOf(running));
    expect(members).toHaveLength(2);
    expect(await background.stop('produce')).toBe(true);
    expect(members.filter(isAlive)).toEqual([]);
    expect(log()).toBe('arguments produce\nended in order\n');
    const other = await background.start({ name: 'produce', args: ['produce'] });
    const supervisor = idOf(other);
    crashWith(4);
    await expect.poll(async () => (await report())?.restarts?.count, within(15_000)).toBe(2);
    expect(await background.stop('produce')).toBe(true);
    expect(isAlive(supervisor)).toBe(false);
    expect(log().match(/^arguments/gm)).toHaveLength(2);
    expect(readState(dataDir)).toBeUndefined();
  });

  it('has a log that is rotated by size, without a lost or torn line', async () => {
    const lines = 120_000;
    const bytesPerLine = 'line 0000000 '.length + 180 + 1;
    await background.start({ name: 'produce', args: ['produce', String(lines)] });
    const names = ['produce.log.2', 'produce.log.1', 'produce.log'].map((name) =>
      join(dataDir, 'logs', name),
    );
    const size = (): number =>
      names.reduce((sum, name) => sum + (existsSync(name) ? statSync(name).size : 0), 0);
    const wanted = lines * bytesPerLine + `arguments produce ${lines}\n`.length;
    await expect.poll(size, within(30_000)).toBe(wanted);
    expect(names.map((name) => statSync(name).size <= 10 * 1024 * 1024)).toEqual([true, true, true]);
    const text = names.map((name) => readFileSync(name, 'utf8')).join('');
    const numbers = [...text.matchAll(/^line (\d{7}) x{180}$/gm)].map(([, number]) => Number(number));
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: lines }, (_, index) => index));
  });
});
