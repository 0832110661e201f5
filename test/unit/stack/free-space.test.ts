import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stackSettings } from '../../../src/compose.js';
import { loadConfig } from '../../../src/config.js';
import { createNativeStack } from '../../../src/stack/native-stack.js';

let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'free-space-'))));
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Ends after the look at the disk: there is no Java. */
async function up(freeBytes: number): Promise<{ said: string[]; message: string }> {
  const environment = { CRYPTOPIPE_DATA_DIR: dataDir, JAVA_HOME: join(dataDir, 'no-java'), PATH: '' };
  const settings = stackSettings(loadConfig({}, environment, '/nonexistent/.env'));
  const disk = { path: dataDir, freeBytes, totalBytes: 250e9 };
  const said: string[] = [];
  const stack = createNativeStack(settings, () => Promise.resolve([disk]));
  const call = { say: (line: string) => said.push(line), signal: AbortSignal.timeout(20_000) };
  const message = await stack.up({ ...call, only: ['kafka'] }).then(
    () => 'it came up',
    (error: unknown) => (error as Error).message,
  );
  return { said, message };
}

describe('stack up', () => {
  it('starts nothing on a full disk', async () => {
    expect(await up(0.2e9)).toEqual({
      said: [],
      message: `The disk of ${dataDir} is full: 0.2 of 250 GB are free`,
    });
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('warns by the rule of status, and goes on', async () => {
    const { said, message } = await up(1.9e9);
    expect(said).toEqual([
      `warning: the disk of ${dataDir} is nearly full, 1.9 of 250 GB are free: make room before the servers stop`,
    ]);
    expect(message).toContain('ava');
  });

  it('has no word about a disk with room', async () => {
    expect((await up(50e9)).said).toEqual([]);
  });
});
