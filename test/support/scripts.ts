import { join } from 'node:path';
import { execa } from 'execa';
import { repository } from './documents.js';

/** One call of a script of `scripts/`. */
export const callScript = (
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = { PATH: process.env['PATH'] ?? '' },
) =>
  execa(join(repository, 'scripts', script), args, {
    env: { ...environment },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });
