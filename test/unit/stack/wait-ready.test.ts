import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, UnreachableError } from '../../../src/core/errors.js';
import { waitReady, type Waiting } from '../../../src/stack/wait-ready.js';

let folder: string;
let logPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wait-ready-'));
  logPath = join(folder, 'server.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const wait = (more: Partial<Waiting>): Promise<void> =>
  waitReady({
    name: 'server',
    logPath,
    timeoutMs: 400,
    signal: AbortSignal.timeout(20_000),
    check: () => Promise.reject(new Error('not yet')),
    ended: () => undefined,
    ...more,
  });

/** Becomes good after this many tries of 150 ms. */
function readyAfter(tries: number): () => Promise<void> {
  let done = 0;
  return () => (++done > tries ? Promise.resolve() : Promise.reject(new Error('not yet')));
}

describe('the wait for a server', () => {
  it('ends with the last answer when the time is over', async () => {
    await expect(wait({})).rejects.toThrow('server was not ready within 0.4 s; the last answer was: not yet');
  });

  it('goes on while the server reports progress', async () => {
    let step = 0;
    const started = Date.now();
    await wait({ check: readyAfter(8), progress: () => `block ${++step} of 100` });
    expect(Date.now() - started).toBeGreaterThan(1000);
  });

  it('ends when the progress stands still, and says where', async () => {
    let step = 0;
    const stuck = wait({ check: readyAfter(50), progress: () => `block ${Math.min(++step, 3)} of 100` });
    await expect(stuck).rejects.toThrow(
      'was not ready within 0.4 s after its last progress (block 3 of 100)',
    );
  });

  it('reads progress in the log', async () => {
    let lines = 0;
    const check = (): Promise<void> => {
      writeFileSync(logPath, `redo ${++lines}\n`, { flag: 'a' });
      return lines > 8 ? Promise.resolve() : Promise.reject(new Error('starting up'));
    };
    await wait({ check, progress: (_, log) => log.split('\n').at(-1) });
    expect(lines).toBe(9);
  });

  it('goes on after an error that can pass, and ends at once after one that cannot', async () => {
    let tries = 0;
    await wait({
      check: () => (++tries > 1 ? Promise.resolve() : Promise.reject(new UnreachableError('starting up'))),
    });
    expect(tries).toBe(2);
    const wrong = (): Promise<void> => {
      tries += 1;
      return Promise.reject(new ConfigError('wrong password'));
    };
    await expect(wait({ check: wrong })).rejects.toThrow(ConfigError);
    expect(tries).toBe(3);
  });

  it('explains an end that is known by its line in the log', async () => {
    writeFileSync(logPath, 'FATAL:  lock file "postmaster.pid" already exists\nHINT: ...\n');
    const ended = wait({
      ended: () => 'exit code 1',
      knownEnds: [{ line: /lock file ".*" already exists/, nextStep: 'Stop the other server.' }],
    });
    await expect(ended).rejects.toMatchObject({
      message:
        'server ended while it was starting: exit code 1: FATAL:  lock file "postmaster.pid" already exists',
      nextStep: `Stop the other server. Its whole log is ${logPath}.`,
    });
  });
});
