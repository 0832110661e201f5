import { readFileSync } from 'node:fs';
import { ConfigError } from '../core/errors.js';
import { restKeyPattern } from '../core/rest-key.js';

/**
 * The key in a file; undefined where there is none, as before the first `stack up`.
 * @throws ConfigError when it cannot be read, or holds no key. The message never shows what it holds.
 */
export function readRestKey(path: string): string | undefined {
  const problem = (what: string, cause?: unknown): ConfigError =>
    new ConfigError(`The key of Spark's REST server in ${path} ${what}`, {
      nextStep: 'Name another key by SPARK_REST_KEY_FILE, or remove the file and run `cryptopipe stack up`.',
      cause,
    });
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw problem(`cannot be read: ${(cause as Error).message}`, cause);
  }
  if (!restKeyPattern.test(text)) throw problem('is not base64url of at least 32 bytes');
  return text;
}
