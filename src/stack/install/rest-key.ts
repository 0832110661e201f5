import { randomBytes } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { restKeyFileOf } from '../../core/rest-key.js';

/**
 * Makes the key of the stack's REST server where there is none. Written aside and linked: whoever comes second, even at
 * the same moment, finds the whole key of the first.
 */
export async function makeRestKey(dataDir: string): Promise<void> {
  const path = restKeyFileOf(dataDir);
  const own = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(own, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  try {
    await link(own, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(own, { force: true });
  }
}
