// What tsc does not carry into dist: data files that modules read beside themselves.
import { copyFileSync } from 'node:fs';

copyFileSync(
  new URL('../src/stack/stack.lock.json', import.meta.url),
  new URL('../dist/stack/stack.lock.json', import.meta.url),
);
