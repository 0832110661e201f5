import { join } from 'node:path';
import { basePorts } from '../../src/core/settings.js';
import type { StackSettings } from '../../src/stack/settings.js';

/** For commands in the background, in a data folder of their own; `program` stands for `dist/main.js`. */
export const backgroundSettings = (
  dataDir: string,
  program: string,
  own: Partial<StackSettings> = {},
): StackSettings => ({
  ports: basePorts,
  portOffset: 0,
  dataDir,
  cacheDir: join(dataDir, 'cache'),
  mavenUrl: 'http://127.0.0.1:1',
  postgresBin: undefined,
  python: 'python3',
  environment: { PATH: process.env['PATH'] },
  postgres: { user: 'crypto', password: 'crypto', database: 'crypto' },
  sparkRest: { key: undefined, token: () => undefined },
  hdfsUser: 'me',
  tasks: { environment: {}, secrets: [] },
  program,
  supervisor: join(import.meta.dirname, '../../dist/stack/supervise.js'),
  ...own,
});
