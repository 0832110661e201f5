import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { missingCompose } from '../support/docker-engine.js';

const missing = await missingCompose();
if (missing !== undefined) console.warn(`the comparison of .env with Compose is skipped: ${missing}`);

interface Case {
  readonly name: string;
  readonly text: string;
  readonly environment?: Record<string, string>;
  readonly values?: Record<string, string>;
}
const cases = JSON.parse(
  readFileSync(new URL('../fixtures/env-files/cases.json', import.meta.url), 'utf8'),
) as readonly Case[];

/** The values that Compose makes of a `.env` file; undefined where it refuses the file. */
async function valuesOfCompose({ text, environment, values = {} }: Case) {
  const folder = mkdtempSync(join(tmpdir(), 'compose-env-'));
  try {
    const names = Object.keys(values).filter((name) => /^[A-Za-z_]\w*$/.test(name));
    const file = {
      services: {
        a: { image: 'a', environment: Object.fromEntries(names.map((name) => [name, `\${${name}}`])) },
      },
    };
    writeFileSync(join(folder, 'compose.json'), JSON.stringify(file));
    writeFileSync(join(folder, '.env'), text);
    const args = ['compose', '--file', 'compose.json', 'config', '--format', 'json'];
    const { failed, stdout } = await execa('docker', args, {
      cwd: folder,
      reject: false,
      timeout: 60_000,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      extendEnv: false,
    });
    if (failed) return undefined;
    const read = JSON.parse(stdout) as { services: { a: { environment?: Record<string, string> } } };
    const shown = Object.entries(read.services.a.environment ?? {});
    // The output is a Compose file again, in which a dollar sign is written twice.
    return Object.fromEntries(shown.map(([name, value]) => [name, value.replaceAll('$$', '$')]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it.skipIf(missing !== undefined).each(cases)(
  'Compose reads a .env file as the corpus says: $name (skipped without its plugin)',
  async (example) => {
    const read = await valuesOfCompose(example);
    if (example.values === undefined || read === undefined) {
      expect(read).toEqual(example.values);
      return;
    }
    const set = { ...example.values, ...example.environment };
    expect(read).toEqual(Object.fromEntries(Object.keys(read).map((name) => [name, set[name]])));
  },
);
