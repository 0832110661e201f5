import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError } from '../../core/errors.js';
import type { Installation } from '../../core/ports/stack.js';

const installationPath = (dataDir: string): string => join(dataDir, 'installation.json');

/** Notes for later calls what this data folder's stack was started from. */
export async function writeInstallation(dataDir: string, installation: Installation): Promise<void> {
  const path = installationPath(dataDir);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}`, `${JSON.stringify(installation, null, 2)}\n`);
  await rename(`${path}.${process.pid}`, path);
}

/** As `readInstallation`, undefined where there was none. */
export function findInstallation(dataDir: string): Installation | undefined {
  return existsSync(installationPath(dataDir)) ? readInstallation(dataDir) : undefined;
}

/** What the last `stack install` or `stack up` with this data folder gave. @throws ConfigError when there was none. */
export function readInstallation(dataDir: string): Installation {
  try {
    return JSON.parse(readFileSync(installationPath(dataDir), 'utf8')) as Installation;
  } catch (cause) {
    throw new ConfigError(`Spark is not installed for the data folder ${dataDir}`, {
      nextStep:
        'Run `cryptopipe stack install`, or name jars and Python by CRYPTOPIPE_SPARK_JARS and PYSPARK_PYTHON.',
      cause,
    });
  }
}
