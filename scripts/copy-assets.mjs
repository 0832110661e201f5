// What tsc does not do for dist: data files that modules read beside themselves, the page's own files and the library that
// it draws with, and the mark of a finished build.
import { copyFileSync, readdirSync, writeFileSync } from 'node:fs';

const source = (path) => new URL(`../src/${path}`, import.meta.url);
const packaged = (path) => new URL(`../node_modules/${path}`, import.meta.url);
const dist = (path) => new URL(`../dist/${path}`, import.meta.url);

copyFileSync(source('stack/stack.lock.json'), dist('stack/stack.lock.json'));
for (const name of readdirSync(source('page/')).filter((file) => /\.(html|css|svg)$/.test(file)))
  copyFileSync(source(`page/${name}`), dist(`page/${name}`));
copyFileSync(
  packaged('lightweight-charts/dist/lightweight-charts.standalone.production.mjs'),
  dist('page/lightweight-charts.mjs'),
);
copyFileSync(packaged('lightweight-charts/LICENSE'), dist('page/lightweight-charts-license.txt'));
writeFileSync(dist('.built'), '');
