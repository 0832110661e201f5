import { existsSync, readFileSync, statSync } from 'node:fs';
import { parseEnvFile } from './core/env-file.js';
import { isForeign, unknownName } from './core/foreign-names.js';
import type { KnownSecret } from './core/secrets.js';
import { settings } from './core/settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Replaces each `NAME_FILE` of a secret by the content of that file, without its last line end. */
export function readSecretFiles(env: Environment, problems: string[]): Environment {
  const values: Record<string, string | undefined> = { ...env };
  for (const { name } of settings.filter((setting) => setting.isSecret === true)) {
    const file = env[`${name}_FILE`];
    if (file === undefined || file === '') continue;
    if (env[name] !== undefined) problems.push(`${name}: is set, and so is ${name}_FILE; keep one`);
    try {
      values[name] = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      problems.push(`${name}_FILE: ${(error as Error).message}`);
    }
  }
  return values;
}

/** One line for each file of a secret that is not its owner's alone; to refuse it would refuse what containers mount. */
export function openSecretFiles(env: Environment): readonly string[] {
  return settings.flatMap(({ name, isSecret }) => {
    const file = isSecret === true ? env[`${name}_FILE`] : undefined;
    const mode =
      file === undefined || file === '' ? undefined : statSync(file, { throwIfNoEntry: false })?.mode;
    return mode === undefined || (mode & 0o077) === 0
      ? []
      : [`${name}_FILE: ${file} is open to other users; chmod 600 makes it yours alone`];
  });
}

/**
 * What is secret of these values, by the name of its setting; a default that the README shows is not. The address of a
 * proxy may hold a password, as it is written there and decoded.
 */
export const secretsIn = (env: Environment): KnownSecret[] => [
  ...settings
    .filter(({ isSecret }) => isSecret === true)
    .flatMap(({ name, shown }) => {
      const value = env[name];
      return value === undefined || value === shown ? [] : [{ name, value }];
    }),
  ...Object.entries(env)
    .filter(([name]) => /^(https?|all)_proxy$/i.test(name))
    .flatMap(([name, value]) => passwordsOf(value).map((password) => ({ name, value: password }))),
];

/** Written by hand, since a wrong address is refused elsewhere and may hold one all the same. */
function passwordsOf(address: string | undefined): string[] {
  const written = /^(?:[a-z\d]+:\/\/)?[^/@]*?:([^/]*)@/i.exec(address ?? '')?.[1];
  if (written === undefined || written === '') return [];
  try {
    return [...new Set([written, decodeURIComponent(written)])];
  } catch {
    return [written];
  }
}

/** Every name that cryptopipe reads itself. */
const ownNames: readonly string[] = settings.flatMap(({ name, isSecret }) =>
  isSecret === true ? [name, `${name}_FILE`] : [name],
);

/**
 * The values of a `.env` file; an empty text where none is there. A name that neither cryptopipe nor a program that shares the
 * file documents is a problem: a misspelt name would otherwise change nothing, without a word.
 */
export function readEnvFile(
  path: string,
  environment: Environment,
  notes: { readonly problems: string[]; readonly warnings: string[] },
): Environment {
  let text: string;
  try {
    text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  } catch (error) {
    notes.problems.push(`${path}: ${(error as Error).message}`);
    return {};
  }
  const { values, problems, unset } = parseEnvFile(text, environment);
  notes.problems.push(...problems.map((problem) => `${path}, ${problem}`));
  notes.warnings.push(...unset.map((name) => `${name} in ${path} ${unsetVariable}`));
  const named = Object.entries(values).filter(([name]) => name !== '');
  for (const [name] of named.filter(([name]) => !ownNames.includes(name))) {
    const problem = unknownName(name, ownNames);
    if (problem !== undefined) notes.problems.push(`${name} in ${path}: ${problem}`);
  }
  return Object.fromEntries(named);
}

const unsetVariable =
  'refers to a variable that is not set, and so to an empty text; a dollar sign is written `$$`, or the value in single quotes';

/** What the programs that we start inherit: our environment, and what `.env` sets for other programs alone. */
export const inheritedEnvironment = (envFile: Environment, environment: Environment): Environment => ({
  ...Object.fromEntries(
    Object.entries(envFile).filter(
      ([name]) => isForeign(name) && (/_proxy$/i.test(name) || !ownNames.includes(name)),
    ),
  ),
  ...environment,
});

/** Without what is not set: an empty text is as good as none. */
export function definedOnly(values: Environment): Environment {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== ''),
  );
}
