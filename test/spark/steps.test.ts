import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/compose.js';
import { loadConfig } from '../../src/config.js';

const cases = new URL('cases/', import.meta.url);
const folders = (url: URL): string[] => readdirSync(url).sort();
const steps = folders(cases);

/** One line a row, as the files have it: the order of rows is not part of a step's contract. */
const sorted = (rows: readonly unknown[]): unknown[] =>
  rows.map((row) => JSON.stringify(row)).sort().map((line) => JSON.parse(line) as unknown);

let work: string;
let found: Record<string, unknown[]>;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'cryptopipe-steps-'));
  const app = createApp(loadConfig({ dataDir: join(work, 'data') }, process.env, '/nonexistent/.env'));
  await app.stack.install({ say: () => undefined, signal: AbortSignal.timeout(280_000) });
  for (const step of steps) await writeFile(join(work, `${step}.sql`), app.templates.sqlStep(step, {}).text);
  const { stdout } = await execa(
    app.nativeInstallation.python,
    [new URL('run_cases.py', import.meta.url).pathname, work],
    { env: { SPARK_LOCAL_IP: '127.0.0.1' }, timeout: 280_000 },
  );
  found = JSON.parse(stdout) as Record<string, unknown[]>;
}, 600_000);

afterAll(() => rm(work, { recursive: true, force: true }));

describe.each(steps)('the step %s', (step) => {
  it.each(folders(new URL(`${step}/`, cases)))('gives the expected rows: %s', async (name) => {
    const file = new URL(`${step}/${name}/expected.jsonl`, cases);
    const expected = (await readFile(file, 'utf8')).trim().split('\n');
    expect(sorted(found[`${step}/${name}`] ?? [])).toEqual(sorted(expected.map((line) => JSON.parse(line) as unknown)));
  });
});
