import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installPython, sparkPackages } from '../../src/stack/install/python.js';

/** Stands for Python: `-m venv` copies it, `-m pip` says what pip would be told, and fails while `broken` is there. */
const fakePython = `#!/bin/sh
echo "$@" >> "$PIP_CALLS"
case "$2" in
  venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  pip) env > "$PIP_CALLS.environment"; sleep 0.2; if [ -e "$PIP_BROKEN" ]; then echo 'No matching distribution'; exit 1; fi ;;
esac
`;

let cacheDir: string;
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), 'python-install-'));
  writeFileSync(join(cacheDir, 'python3'), fakePython, { mode: 0o755 });
});
afterEach(() => rmSync(cacheDir, { recursive: true, force: true }));

const install = (signal = AbortSignal.timeout(60_000)): Promise<string> =>
  installPython({ file: join(cacheDir, 'python3'), prefix: '/usr', version: '3.11.2' }, sparkPackages(), {
    cacheDir,
    environment: {
      PATH: process.env['PATH'],
      PIP_CALLS: join(cacheDir, 'calls'),
      PIP_BROKEN: join(cacheDir, 'broken'),
      POSTGRES_PASSWORD: 'very-hidden',
    },
    say: () => undefined,
    signal,
  });
const calls = (): string[] => readFileSync(join(cacheDir, 'calls'), 'utf8').trim().split('\n');

describe('installPython', () => {
  it('installs what builds first, then the packages, by checksum and not isolated', async () => {
    const folder = await install();
    expect(calls()).toEqual([
      `-m venv ${folder}`,
      `-m pip install --require-hashes --no-build-isolation -r ${folder}/build.txt`,
      `-m pip install --require-hashes --no-build-isolation -r ${folder}/packages.txt`,
    ]);
    expect(readFileSync(join(folder, 'packages.txt'), 'utf8')).toMatch(
      /^pyspark==4\.2\.0 \\\n {4}--hash=sha256:/,
    );
  });

  it('gives pip its own settings, and no secret of the caller', async () => {
    await install();
    const environment = readFileSync(join(cacheDir, 'calls.environment'), 'utf8');
    expect(environment).toContain('PIP_BROKEN=');
    expect(environment).not.toContain('very-hidden');
  });

  it('does nothing when it is there already', async () => {
    await install();
    await install();
    expect(calls()).toHaveLength(3);
  });

  it('shows what pip said when it fails, and begins anew the next time', async () => {
    writeFileSync(join(cacheDir, 'broken'), '');
    const tried = install();
    await expect(tried).rejects.toThrow('pip failed');
    await expect(tried).rejects.toMatchObject({
      logTail: expect.stringContaining('No matching distribution') as string,
    });
    rmSync(join(cacheDir, 'broken'));
    const folder = await install();
    expect(calls().filter((call) => call === `-m venv ${folder}`)).toHaveLength(2);
    expect(existsSync(join(folder, 'cryptopipe-complete'))).toBe(true);
  });

  it('takes an interrupted installation for none', async () => {
    await expect(install(AbortSignal.timeout(100))).rejects.toThrow();
    const folder = await install();
    expect(calls().filter((call) => call === `-m venv ${folder}`)).toHaveLength(2);
  });

  it('makes it once when two ask at the same time', async () => {
    const [one, two] = await Promise.all([install(), install()]);
    expect(two).toBe(one);
    expect(calls()).toHaveLength(3);
  });
});
