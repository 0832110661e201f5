import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/compose.js';
import { loadConfig } from '../../src/config.js';

const cases = join(import.meta.dirname, 'cases');
/** `<step>/<case>`, or `checks/<check>/<case>`. */
const caseFolders = readdirSync(cases, { recursive: true, encoding: 'utf8' })
  .filter((file) => basename(file) === 'expected.jsonl')
  .map((file) => dirname(file))
  .sort();
const steps = [...new Set(caseFolders.map((folder) => dirname(folder)))];

/** One line a row, as the files have it: the order of rows is not part of a step's contract. */
const sorted = (rows: readonly unknown[]): unknown[] =>
  rows.map((row) => JSON.stringify(row)).sort().map((line) => JSON.parse(line) as unknown);

let work: string;
let found: Record<string, unknown[]>;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'cryptopipe-steps-'));
  const app = createApp(loadConfig({ dataDir: join(work, 'data') }, process.env, '/nonexistent/.env'));
  await app.stack.install({ say: () => undefined, signal: AbortSignal.timeout(280_000) });
  for (const step of steps) {
    await mkdir(dirname(join(work, step)), { recursive: true });
    await writeFile(join(work, `${step}.sql`), app.templates.sqlStep(step, {}).text);
  }
  const { stdout } = await execa(
    app.nativeInstallation.python,
    [new URL('run_cases.py', import.meta.url).pathname, work],
    { env: { SPARK_LOCAL_IP: '127.0.0.1' }, timeout: 280_000 },
  );
  found = JSON.parse(stdout) as Record<string, unknown[]>;
}, 600_000);

afterAll(() => rm(work, { recursive: true, force: true }));

describe.each(steps)('the step %s', (step) => {
  const own = caseFolders.filter((folder) => dirname(folder) === step);
  it.each(own.map((folder) => basename(folder)))('gives the expected rows: %s', async (name) => {
    const expected = (await readFile(join(cases, step, name, 'expected.jsonl'), 'utf8')).trim();
    const rows = expected === '' ? [] : expected.split('\n').map((line) => JSON.parse(line) as unknown);
    expect(sorted(found[`${step}/${name}`] ?? [])).toEqual(sorted(rows));
  });
});
