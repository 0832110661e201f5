import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Background } from '../../src/core/ports/background.js';
import { createBackground } from '../../src/stack/background.js';
import { readDiskSpace } from '../../src/adapters/disk-space.js';
import { createNativeStack } from '../../src/stack/native-stack.js';
import type { StackSettings } from '../../src/stack/settings.js';
import { backgroundSettings } from '../support/background-settings.js';

let dataDir: string;
let background: Background;
let settings: StackSettings;

/** Stands for our own program: says what it got, ends as it is told, or stays. */
const program = `
const [how] = process.argv.slice(2);
console.log('arguments', process.argv.slice(2).join(' '), 'folder', process.env.CRYPTOPIPE_DATA_DIR);
if (how === 'fail') { console.error('it went wrong'); process.exit(Number(process.argv[3] ?? 4)); }
process.on('SIGTERM', () => { if (how !== 'stubborn') process.exit(0); });
process.on('disconnect', () => { if (how !== 'stubborn') process.exit(0); });
setInterval(() => undefined, 1000);
`;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'background-'));
  writeFileSync(join(dataDir, 'program.mjs'), program);
  settings = backgroundSettings(dataDir, join(dataDir, 'program.mjs'));
  background = createBackground(settings);
});
afterEach(async () => {
  for (const { name } of await background.list()) await background.stop(name, 100);
  rmSync(dataDir, { recursive: true, force: true });
});

describe('a background process', () => {
  it('gets its arguments and the data folder, and is listed with its log', async () => {
    const started = await background.start({ name: 'produce', args: ['produce', '--json'] });
    expect(started).toMatchObject({ name: 'produce', kind: 'background', state: 'running' });
    expect(await background.list()).toMatchObject([{ name: 'produce', pid: started.pid, state: 'running' }]);
    const log = await createNativeStack(settings, readDiskSpace).logTail('produce', 5);
    expect(log).toBe(`arguments produce --json folder ${dataDir}`);
  });

  it('runs once, however often it is started', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => background.start({ name: 'produce', args: ['produce'] })),
    );
    expect(second?.pid).toBe(first?.pid);
  });

  it('shows the end of its log when it ends at once, and is forgotten', async () => {
    const tried = background.start({ name: 'produce', args: ['fail'] });
    await expect(tried).rejects.toThrow('produce ended while it was starting: exit code 4');
    await expect(tried).rejects.toMatchObject({
      logTail: expect.stringContaining('it went wrong') as string,
    });
    expect(await background.list()).toEqual([]);
  });

  it.each([2, 3, 4, 5])('passes its exit code %d on where it ends at once', async (exitCode) => {
    await expect(
      background.start({ name: 'produce', args: ['fail', String(exitCode)] }),
    ).rejects.toMatchObject({ exitCode, logTail: expect.stringContaining('it went wrong') as string });
  });

  it('counts as died when it was killed', async () => {
    const { pid } = await background.start({ name: 'produce', args: ['produce'] });
    process.kill(pid!, 'SIGKILL');
    await expect.poll(async () => (await background.list())[0]?.state).toBe('died');
  });

  it('that was killed is started again as it was, and one that was stopped is not', async () => {
    const { pid } = await background.start({ name: 'produce', args: ['produce', '--json'] });
    await background.start({ name: 'dashboard', args: ['dashboard'] });
    await background.start({ name: 'sandbox', args: ['sandbox'] });
    await background.stop('sandbox');
    process.kill(pid!, 'SIGKILL');
    await expect.poll(async () => (await background.list())[0]?.state).toBe('died');
    const resumed = await background.resume();
    expect(resumed).toMatchObject([{ name: 'produce', state: 'running' }]);
    expect(resumed[0]?.pid).not.toBe(pid);
    expect((await background.list()).map(({ name, state }) => [name, state])).toEqual([
      ['produce', 'running'],
      ['dashboard', 'running'],
    ]);
    const log = await createNativeStack(settings, readDiskSpace).logTail('produce', 5);
    expect(log).toBe(`arguments produce --json folder ${dataDir}`);
  });

  it('ends, even when it does not want to', async () => {
    await background.start({ name: 'produce', args: ['stubborn'] });
    expect(await background.stop('produce', 200)).toBe(true);
    expect(await background.list()).toEqual([]);
    expect(await background.stop('produce')).toBe(false);
  });

  it('is stopped with the stack', async () => {
    await background.start({ name: 'sandbox', args: ['sandbox'] });
    expect(await createNativeStack(settings, readDiskSpace).down({ say: () => undefined })).toEqual([
      'sandbox',
    ]);
    expect(await background.list()).toEqual([]);
  });
});
