// `npm run docs`: writes the generated parts of README.md and the whole .env.example anew, from the built program.
import { readFileSync, writeFileSync } from 'node:fs';
import { buildProgram } from '../dist/cli/program.js';
import { driverMeanings } from '../dist/core/driver-state.js';
import { settings } from '../dist/core/settings.js';
import { situations } from '../dist/core/situations.js';
import {
  driverStatesTable,
  envExample,
  replaceBetweenMarkers,
  settingsTable,
  situationsTable,
  usageOf,
} from './generated-docs.mjs';

const readme = new URL('../README.md', import.meta.url);
const parts = {
  usage: usageOf(buildProgram({}, '')),
  settings: settingsTable(settings),
  situations: situationsTable(situations),
  drivers: driverStatesTable(driverMeanings),
};
const text = Object.entries(parts).reduce(
  (document, [name, part]) => replaceBetweenMarkers(document, name, part),
  readFileSync(readme, 'utf8'),
);
writeFileSync(readme, text);
writeFileSync(new URL('../.env.example', import.meta.url), envExample(settings));
