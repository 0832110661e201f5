import { interpolated, mountsOf } from './model.js';
import type { Rule } from './rules.js';

const looksSecret = /PASSWORD|SECRET|TOKEN|KEY|SQL_ALCHEMY_CONN|PASSPHRASE/;
const keysFolder = '/run/keys/';

/** The only service that is given values: it makes the files of the others. */
const maker = 'keys';
/** The original's, on loopback only. */
const wellKnown = ['crypto'];

/** Airflow runs what a setting with this end names. */
const isReadFromAFile = (name: string, value: string): boolean =>
  (name.endsWith('_FILE') && value.startsWith(keysFolder)) ||
  (name.endsWith('_CMD') && value.startsWith(`cat ${keysFolder}`));

export const noSecretValue: Rule = (file) => {
  const filled = interpolated(file);
  return Object.entries(filled.services).flatMap(([service, { environment = {} }]) =>
    Object.entries(environment)
      .filter(([name]) => looksSecret.test(name))
      .filter(([name, value]) =>
        service === maker ? value !== '' && !wellKnown.includes(value) : !isReadFromAFile(name, value),
      )
      .map(([name]) => `${service}: ${name} is a secret in the file`),
  );
};

/** The service whose folder another one uses too. */
const sharedKeys: Readonly<Record<string, string>> = {
  init: 'cryptopipe',
  producer: 'cryptopipe',
  'airflow-database': 'postgres',
};

/** Its folder of keys comes from its own volume, which only the maker writes. */
export const everyServiceSeesItsOwnKeysOnly: Rule = (file) =>
  Object.entries(file.services).flatMap(([service, definition]) => {
    if (service === maker) return [];
    const keys = mountsOf(definition).filter(({ source }) => /^keys(-|$)/.test(source));
    const own = `keys-${sharedKeys[service] ?? service}`;
    return [
      ...keys
        .filter(({ source }) => source !== own)
        .map(({ source }) => `${service}: sees ${source}, which is another's`),
      ...keys
        .filter(({ mode, target }) => mode !== 'ro' || `${target}/` !== keysFolder)
        .map(({ source }) => `${service}: ${source} is not at ${keysFolder} for reading`),
      ...(keys.length > 0 && definition.depends_on?.[maker]?.condition !== 'service_completed_successfully'
        ? [`${service}: does not wait for its keys`]
        : []),
    ];
  });
