import { readFileSync } from 'node:fs';
import { settings } from '../../../src/core/settings.js';
import type { Rule } from './rules.js';

const ofTheProgram = settings.flatMap(({ name, isSecret }) =>
  isSecret === true ? [name, `${name}_FILE`] : [name],
);
const table = JSON.parse(
  readFileSync(new URL('../../fixtures/compose/known-variables.json', import.meta.url), 'utf8'),
) as Record<string, string[]>;

/** Runs our own script on the image, which reads settings of the program. */
const ownScripts = ['keys'];

/** A misspelt variable changes nothing, silently. */
export const variablesAreKnownToTheImage: Rule = (file) =>
  Object.entries(file.services).flatMap(([service, { image, environment = {} }]) => {
    const listed = ownScripts.includes(service) ? ['cryptopipe'] : (table[image.split(':')[0] ?? ''] ?? []);
    const known = new Set(listed.flatMap((name) => (name === 'cryptopipe' ? ofTheProgram : [name])));
    return Object.keys(environment)
      .filter((name) => !known.has(name))
      .map((name) => `${service}: ${image} does not know ${name}`);
  });
