import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigError } from '../../../src/core/errors.js';
import { createBackground } from '../../../src/stack/background.js';
import { identityOf } from '../../../src/stack/process-table.js';
import { updateState } from '../../../src/stack/state.js';
import { backgroundSettings } from '../../support/background-settings.js';

let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'background-'))));
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const background = () => createBackground(backgroundSettings(dataDir, join(dataDir, 'program.mjs')));

/** This very test stands for a producer that was started with these arguments. */
async function givenProducer(args: string[] | undefined): Promise<void> {
  await updateState(dataDir, (processes) => {
    processes['produce'] = {
      kind: 'background',
      portOffset: 0,
      pid: process.pid,
      started: identityOf(process.pid)?.started ?? '',
      startedAt: '2026-01-01T00:00:00.000Z',
      ports: {},
      version: '',
      logPath: join(dataDir, 'produce.log'),
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 1000,
      ...(args === undefined ? {} : { args }),
    };
  });
}

it('refuses a command of a name that runs with other arguments, and says how to stop that one', async () => {
  await givenProducer(['produce', '--symbols', 'BTCUSDT']);
  const tried = background().start({
    name: 'produce',
    args: ['produce', '--symbols', 'ETHUSDT'],
    stopCommand: 'cryptopipe produce --stop',
  });
  await expect(tried).rejects.toThrow(ConfigError);
  await expect(tried).rejects.toThrow('running: cryptopipe produce --symbols BTCUSDT');
  await expect(tried).rejects.toThrow('wanted:  cryptopipe produce --symbols ETHUSDT');
  await expect(tried).rejects.toMatchObject({
    nextStep: 'Stop what runs first: `cryptopipe produce --stop`, or everything: `cryptopipe stack down`.',
  });
});

it('gives back the one that runs with the same arguments, or with unknown ones', async () => {
  const start = { name: 'produce', args: ['produce', '--symbols', 'BTCUSDT'] };
  for (const known of [start.args, undefined]) {
    await givenProducer(known);
    expect(await background().start(start)).toMatchObject({ pid: process.pid, state: 'running' });
  }
});
