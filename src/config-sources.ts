import { existsSync, readFileSync, statSync } from 'node:fs';
import { parse } from 'dotenv';
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

/** What is secret of these values, by the name of its setting; a default that the README shows is not. */
export const secretsIn = (env: Environment): KnownSecret[] =>
  settings
    .filter(({ isSecret }) => isSecret === true)
    .flatMap(({ name, shown }) => {
      const value = env[name];
      return value === undefined || value === shown ? [] : [{ name, value }];
    });

/** Names in a `.env` file that cryptopipe does not know are errors: a typo there would otherwise change nothing, silently. */
export function readEnvFile(path: string, problems: string[]): Environment {
  if (!existsSync(path)) return {};
  const values = parse(readFileSync(path, 'utf8'));
  const known = new Set(
    settings.flatMap(({ name, isSecret }) => (isSecret === true ? [name, `${name}_FILE`] : [name])),
  );
  for (const name of Object.keys(values))
    if (!known.has(name)) problems.push(`${name}: unknown name in ${path}`);
  return values;
}

/** Without what is not set: an empty text is as good as none. */
export function definedOnly(values: Environment): Environment {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== ''),
  );
}
