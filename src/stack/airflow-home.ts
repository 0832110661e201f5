import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { airflowDatabaseUrl } from './airflow-database.js';
import { makeSecretFile } from './secret-file.js';
import type { StackSettings } from './settings.js';

/** AIRFLOW_HOME, and the files in it that are ours; all hold a secret and are their owner's alone. */
export function airflowHome({ dataDir }: Pick<StackSettings, 'dataDir'>) {
  const folder = join(dataDir, 'airflow');
  const secret = (name: string): string => join(folder, 'secrets', name);
  return {
    folder,
    /** The programs `airflow` and `cryptopipe`, each with the environment that it needs. */
    bin: join(folder, 'bin'),
    /** JSON, user to password, as SimpleAuthManager keeps it. */
    logins: join(folder, 'logins.json'),
    databasePassword: secret('database-password'),
    databaseUrl: secret('database-url'),
    fernetKey: secret('fernet-key'),
    apiKey: secret('api-key'),
    jwtKey: secret('jwt-key'),
    /** Of a setting of ours that is secret, for the tasks. */
    setting: secret,
  };
}

const newKey = (): string => randomBytes(32).toString('base64url');

/** Makes every secret of Airflow where there is none: it keeps its logins, its tokens and its connections over restarts. */
export async function makeAirflowSecrets(settings: StackSettings): Promise<{ databasePassword: string }> {
  const home = airflowHome(settings);
  await mkdir(join(home.folder, 'secrets'), { recursive: true, mode: 0o700 });
  await makeSecretFile(home.databasePassword, newKey());
  // A Fernet key is 32 bytes in base64url with its padding (https://github.com/fernet/spec).
  await makeSecretFile(home.fernetKey, `${newKey()}=`);
  await makeSecretFile(home.apiKey, newKey());
  await makeSecretFile(home.jwtKey, newKey());
  await makeSecretFile(home.logins, JSON.stringify({ admin: randomBytes(12).toString('base64url') }));
  const databasePassword = (await readFile(home.databasePassword, 'utf8')).trim();
  await writeSecret(home.databaseUrl, airflowDatabaseUrl(settings, databasePassword));
  for (const { name, value } of settings.tasks.secrets) await writeSecret(home.setting(name), value);
  return { databasePassword };
}

async function writeSecret(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  await chmod(path, 0o600);
}

/** As one word of a shell. */
export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Writes the two programs. `airflow` is what a person types, and what `airflow standalone` starts its parts by: two of
 * them would serve logs on every address of this computer, which nobody needs where all read the same files.
 */
export async function writeAirflowPrograms(
  settings: StackSettings,
  environment: Readonly<Record<string, string>>,
  airflow: string,
): Promise<void> {
  const { bin } = airflowHome(settings);
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  await mkdir(bin, { recursive: true });
  await writeProgram(
    join(bin, 'airflow'),
    `${exports.join('')}case "$1" in scheduler | triggerer) set -- "$@" --skip-serve-logs ;; esac
exec ${quote(airflow)} "$@"
`,
  );
  await writeProgram(
    join(bin, 'cryptopipe'),
    `exec ${quote(process.execPath)} ${quote(settings.program)} "$@"\n`,
  );
}

async function writeProgram(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n# Written by cryptopipe stack up.\n${text}`);
  await chmod(path, 0o755);
}
