import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { root } from '../support/compose/describe-checks.js';
import { missingCompose } from '../support/docker-engine.js';

const missing = await missingCompose();
if (missing !== undefined) console.warn(`\`docker compose config\` is skipped: ${missing}`);

const config = async (file: string): Promise<string> => {
  const args = ['compose', '--project-directory', root, '--file', file, 'config', '--quiet'];
  const { failed, stderr } = await execa('docker', args, { reject: false, timeout: 60_000 });
  return failed ? stderr : 'taken';
};

it.skipIf(missing !== undefined)(
  'Compose itself takes docker-compose.yml (skipped without its plugin)',
  async () => {
    expect(await config(join(root, 'docker-compose.yml'))).toBe('taken');
    const folder = mkdtempSync(join(tmpdir(), 'compose-config-'));
    try {
      const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
      const file = join(folder, 'docker-compose.yml');
      writeFileSync(
        file,
        text.replace('      kafka:\n        condition', '      kafkaa:\n        condition'),
      );
      expect(await config(file)).toContain('service "init" depends on undefined service "kafkaa"');
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
