import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../../support/compose/describe-checks.js';

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');
const program = 'print("good")\n';
/** As many bytes. */
const altered = 'print("evil")\n';

let folder: string;
const path = (...names: string[]): string => join(folder, ...names);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'driver python '));
  writeFileSync(path('job.py'), program);
  writeFileSync(path('python'), '#!/bin/sh\necho "ran $*"\nexit 7\n');
  chmodSync(path('python'), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What it prints and its exit code; the stand-in for Python ends with 7. */
async function run(env: Record<string, string>) {
  const { stdout, exitCode } = await execa(
    join(root, 'docker/spark/driver-python.sh'),
    [path('job.py'), '--run-id', 'a b'],
    {
      env: { PATH: process.env['PATH'] ?? '', PYSPARK_PYTHON: path('python'), ...env },
      extendEnv: false,
      reject: false,
    },
  );
  return { stdout, exitCode };
}

type Submitted = readonly [name: string, content: string];
const files = (...list: readonly Submitted[]): Record<string, string> => ({
  CRYPTOPIPE_PROGRAM_FILES: list.map(([name, content]) => `${name}:${sha256(content)}`).join(' '),
});
const ran = (): object => ({ stdout: `ran ${path('job.py')} --run-id a b`, exitCode: 7 });

describe('driver-python.sh', () => {
  it('runs the program that was submitted, with its arguments and its exit code', async () => {
    expect(await run(files(['job.py', program]))).toEqual(ran());
  });

  it('runs what was submitted without hashes', async () => {
    expect(await run({})).toEqual(ran());
  });

  it('refuses an altered program of the same size', async () => {
    writeFileSync(path('job.py'), altered);
    expect(await run(files(['job.py', program]))).toEqual({
      stdout: `ProgramRefused: job.py has SHA-256 ${sha256(altered)}, but ${sha256(program)} was submitted`,
      exitCode: 1,
    });
  });

  it('ends a supervised driver with 0, so that Spark does not start it again', async () => {
    writeFileSync(path('job.py'), altered);
    const env = { ...files(['job.py', program]), CRYPTOPIPE_REFUSED_EXIT_CODE: '0' };
    expect(await run(env)).toMatchObject({
      stdout: expect.stringMatching(/^ProgramRefused: job.py/) as string,
      exitCode: 0,
    });
  });

  it('runs nothing where the program is not there', async () => {
    rmSync(path('job.py'));
    const { stdout, exitCode } = await run(files(['job.py', program]));
    expect(stdout).not.toContain('ran');
    expect(exitCode).not.toBe(7);
  });

  describe('with files that the program imports', () => {
    beforeEach(() => {
      mkdirSync(path('imports'));
      writeFileSync(path('imports', 'rules.py'), 'rules');
      writeFileSync(path('lib.zip'), 'zip');
    });
    const env = (...list: readonly Submitted[]) => ({
      ...files(['job.py', program], ...list),
      PYTHONPATH: `${path('lib.zip')}:${path('imports')}:/spark/python`,
    });

    it('runs the program where they are as submitted', async () => {
      expect(await run(env(['lib.zip', 'zip'], ['rules.py', 'rules']))).toEqual(ran());
    });

    it.each(['lib.zip', 'imports/rules.py'])('refuses an altered %s', async (file) => {
      writeFileSync(path(file), 'evil');
      const { stdout, exitCode } = await run(env(['lib.zip', 'zip'], ['rules.py', 'rules']));
      expect(stdout).toMatch(/^ProgramRefused: (lib.zip|rules.py) has SHA-256 \w{64}, but \w{64} was/);
      expect(exitCode).toBe(1);
    });

    it('refuses where one is not found', async () => {
      expect(await run(env(['other.egg', 'egg']))).toEqual({
        stdout: "ProgramRefused: other.egg, which was submitted, is not on Python's path",
        exitCode: 1,
      });
    });
  });
});
