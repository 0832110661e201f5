import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { readDocument, repository } from '../support/documents.js';
import { callScript } from '../support/scripts.js';

const scripts = readdirSync(join(repository, 'scripts')).filter((name) => name.endsWith('.sh'));

describe.each(scripts)('scripts/%s', (script) => {
  it('fails on the first error, on a name that is not set, and inside a pipe', () => {
    expect(readDocument(`scripts/${script}`)).toMatch(/^#!\/usr\/bin\/env bash\n(#.*\n)+set -euo pipefail\n/);
  });

  it('says with --help how it is called, and runs nothing', async () => {
    for (const flag of ['--help', '-h'])
      expect(await callScript(script, [flag])).toMatchObject({
        ...{ exitCode: 0, stderr: '' },
        stdout: expect.stringMatching(new RegExp(`^Usage: scripts/${script} \\[`)) as string,
      });
  });

  it('refuses a flag that it does not know', async () => {
    expect(await callScript(script, ['--nonsense'])).toMatchObject({
      ...{ exitCode: 2, stdout: '' },
      stderr: expect.stringMatching(
        /^error: --nonsense is not known to this script; it takes .*--help$/,
      ) as string,
    });
  });
});

describe('scripts/run_spark_jobs.sh', () => {
  it('refuses two jobs', async () => {
    expect(await callScript('run_spark_jobs.sh', ['streaming', 'quality'])).toMatchObject({
      exitCode: 2,
      stderr: 'error: one job at a time, not streaming quality; its parameters are written NAME=VALUE',
    });
  });
});

describe('bin/cryptopipe', () => {
  it('needs neither Java nor Python to call a command', async () => {
    const env = { JAVA_HOME: '/nonexistent', CRYPTOPIPE_PYTHON: '/nonexistent' };
    expect(
      await execa(join(repository, 'bin/cryptopipe'), ['--version'], { env, reject: false }),
    ).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
  });
});
