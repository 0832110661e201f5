import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a file of one line that its owner alone may read, where there is none. Written aside and linked: whoever comes
 * second, even at the same moment, finds the whole secret of the first.
 */
export async function makeSecretFile(path: string, text: string): Promise<void> {
  const own = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(own, `${text}\n`, { mode: 0o600 });
  try {
    await link(own, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(own, { force: true });
  }
}
