import { constants } from 'node:fs';
import { access, chmod, mkdir } from 'node:fs/promises';
import { ConfigError } from '../core/errors.js';

/** Makes a folder of ours that nobody else can read, and closes one that is there already. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

/**
 * Makes the data folder. Others cannot read it; as root they can pass through it, since PostgreSQL runs there as another
 * user. One that is there already keeps its mode.
 * @throws ConfigError when it cannot be made or written.
 */
export async function makeDataDir(dataDir: string): Promise<void> {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  try {
    await mkdir(dataDir, { recursive: true, mode });
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new ConfigError(`The data folder ${dataDir} cannot be used: ${(cause as Error).message}`, {
      nextStep: 'Make it writable for this user, or name another one by --data-dir or CRYPTOPIPE_DATA_DIR.',
      cause,
    });
  }
}
