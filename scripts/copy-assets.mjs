// What tsc does not do for dist: data files that modules read beside themselves, and the mark of a finished build.
import { copyFileSync, writeFileSync } from 'node:fs';

const dist = (path) => new URL(`../dist/${path}`, import.meta.url);

copyFileSync(new URL('../src/stack/stack.lock.json', import.meta.url), dist('stack/stack.lock.json'));
writeFileSync(dist('.built'), '');
