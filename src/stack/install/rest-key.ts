import { randomBytes } from 'node:crypto';
import { restKeyFileOf } from '../../core/rest-key.js';
import { makeSecretFile } from '../secret-file.js';

/** Makes the key of the stack's REST server where there is none. */
export async function makeRestKey(dataDir: string): Promise<void> {
  await makeSecretFile(restKeyFileOf(dataDir), randomBytes(32).toString('base64url'));
}
