import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { root } from '../support/compose/describe-checks.js';
import { missingEngine } from '../support/docker-engine.js';

const missing = await missingEngine();
if (missing !== undefined) console.warn(`The stack in Docker is skipped: ${missing}`);

const smokeTest = join(root, 'scripts', 'smoke_test.sh');

// With a folder, ports and a project of Compose of its own.
describe.skipIf(missing !== undefined)('the stack in Docker (skipped without an engine)', () => {
  const env = {
    CRYPTOPIPE_STACK: 'docker',
    CRYPTOPIPE_PORT_OFFSET: '11500',
    CRYPTOPIPE_DATA_DIR: join(tmpdir(), 'cryptopipe-test', 'docker'),
    COMPOSE_PROJECT_NAME: 'cryptopipe-test',
  };
  const cryptopipe = (args: readonly string[]) =>
    execa(join(root, 'bin', 'cryptopipe'), args, { env, reject: false, all: true, timeout: 1_800_000 });

  it('starts, does what the smoke test wants of it, and ends', { timeout: 3_600_000 }, async () => {
    try {
      const up = await cryptopipe(['stack', 'up']);
      expect(up.exitCode, up.all).toBe(0);
      expect(existsSync(smokeTest)).toBe(true);
      const smoke = await execa(smokeTest, [], { env, reject: false, all: true, timeout: 900_000 });
      expect(smoke.exitCode, smoke.all).toBe(0);
      const again = await cryptopipe(['stack', 'up']);
      expect(again.exitCode, again.all).toBe(0);
      expect((await cryptopipe(['stack', 'status'])).exitCode).toBe(0);
    } finally {
      await cryptopipe(['stack', 'down']);
      await execa('docker', ['compose', '--project-directory', root, 'down', '--volumes'], {
        env,
        reject: false,
      });
    }
  });
});
