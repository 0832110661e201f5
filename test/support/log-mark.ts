import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the logs of the native servers end now; a log goes on over the restarts of its server. */
export function markLogs(dataDir: string, names: readonly string[]) {
  const logOf = (name: string): string => readFileSync(join(dataDir, 'logs', `${name}.log`), 'utf8');
  const ends = new Map(names.map((name) => [name, logOf(name).length]));
  const since = (name: string): string => logOf(name).slice(ends.get(name));
  return {
    since,
    /** How often a text was written since then. */
    timesSince: (name: string, text: string): number => since(name).split(text).length - 1,
  };
}
