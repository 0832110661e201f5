import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  betweenMarkers,
  driverStatesTable,
  envExample,
  settingsTable,
  situationsTable,
  usageOf,
} from '../../scripts/generated-docs.mjs';
import { loadConfig } from '../../src/config.js';
import { driverMeanings } from '../../src/core/driver-state.js';
import { settings } from '../../src/core/settings.js';
import { situations } from '../../src/core/situations.js';
import { commandTree, readDocument } from '../support/documents.js';

const stale = 'run `npm run docs`';
const secretFiles = settings.flatMap(({ name, isSecret }) => (isSecret === true ? [`${name}_FILE`] : []));
const everyName = [...settings.map(({ name }) => name), ...secretFiles].sort();

describe('the README', () => {
  const readme = readDocument('README.md');

  it('shows the usage that --help prints', () => {
    expect(betweenMarkers(readme, 'usage').text, stale).toBe(usageOf(commandTree()));
  });

  it('shows every command of the program', () => {
    const usage = betweenMarkers(readme, 'usage').text;
    for (const { name, commands } of commandTree().commands.map((command) => ({
      name: command.name(),
      commands: command.commands.map((inner) => inner.name()),
    })))
      for (const path of [name, ...commands.map((inner) => `${name} ${inner}`)])
        expect(usage).toContain(`Usage: cryptopipe ${path} `);
  });

  it('shows the settings of the code, each with its meaning and its default', () => {
    expect(betweenMarkers(readme, 'settings').text, stale).toBe(settingsTable(settings));
  });

  it('shows every situation of a run and every state of a driver', () => {
    expect(betweenMarkers(readme, 'situations').text, stale).toBe(situationsTable(situations));
    expect(betweenMarkers(readme, 'drivers').text, stale).toBe(driverStatesTable(driverMeanings));
  });

  it('names in its table exactly what the code reads', () => {
    const names = [...betweenMarkers(readme, 'settings').text.matchAll(/(?:^\| |; or )`([A-Z][A-Z0-9_]+)`/gm)];
    expect(names.map((match) => match[1]).sort()).toEqual(everyName);
  });
});

describe('.env.example', () => {
  const example = readDocument('.env.example');

  it('is what the settings of the code make', () => {
    expect(example, stale).toBe(envExample(settings));
  });

  it('names exactly what the code reads, and sets nothing', () => {
    const names = [...example.matchAll(/^#([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]);
    expect(names.sort()).toEqual(everyName);
    expect(example.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });

  it('shows defaults that change nothing when they are set', () => {
    const folder = mkdtempSync(join(tmpdir(), 'env-example-'));
    try {
      const file = join(folder, '.env');
      writeFileSync(file, [...example.matchAll(/^#([A-Z][A-Z0-9_]+=.+)$/gm)].map(([, line]) => line).join('\n'));
      expect(readFileSync(file, 'utf8')).toContain('KAFKA_TOPIC=crypto_raw');
      expect(loadConfig({}, {}, file)).toEqual({
        ...loadConfig({}, {}, join(folder, 'none')),
        areSymbolsSet: true, // and only that somebody said so is another
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the list of settings', () => {
  it('holds exactly the names that the configuration checks', () => {
    const source = readDocument('src/config.ts');
    const checked = [...source.matchAll(/^ +([A-Z][A-Z0-9_]+):(?! flags\.)/gm)].map((match) => match[1]);
    expect(settings.map(({ name }) => name).sort()).toEqual(checked.sort());
  });
});
