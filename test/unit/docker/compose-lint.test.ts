import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaNode } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { root } from '../../support/compose/describe-checks.js';

/** Each call is a process of its own. */
vi.setConfig({ testTimeout: 60_000 });

/** The rules of dclint that this text breaks, those of its warnings too. */
async function lint(text: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dclint-'));
  try {
    const file = join(folder, 'docker-compose.yml');
    writeFileSync(file, text);
    const program = `${root}node_modules/dclint/bin/dclint.cjs`;
    const options = ['--config', `${root}.dclintrc.yaml`, '--formatter', 'json', file];
    const { stdout } = await execaNode(program, options, { reject: false });
    const results = JSON.parse(stdout) as { messages: { rule: string }[] }[];
    return results.flatMap(({ messages }) => messages.map(({ rule }) => rule));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('dclint', () => {
  const text = readFileSync(`${root}docker-compose.yml`, 'utf8');

  it('has nothing to say about docker-compose.yml', async () => {
    expect(await lint(text)).toEqual([]);
  });

  it.each([
    ['apache/kafka:4.3.1', 'apache/kafka:latest', 'service-image-require-explicit-tag'],
    ["'127.0.0.1:${PGPORT:-5432}:5432'", "'5432:5432'", 'no-unbound-port-interfaces'],
    ['name: cryptopipe', "version: '3'", 'no-version-field'],
  ])('would say that %s must not be %s', async (from, to, rule) => {
    expect(text).toContain(from);
    expect(await lint(text.replace(from, () => to))).toContain(rule);
  });
});
