import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CheckReport } from '../../src/commands/check/report.js';
import { createTextChecker } from '../../src/adapters/text-checker.js';
import { createApp } from '../../src/compose.js';
import { loadConfig } from '../../src/config.js';
import type { TextChecker } from '../../src/core/ports/check.js';
import { loadCorpus, masterWith, type CorpusCase } from '../support/check-corpus.js';
import { callCli, type CliResult } from '../support/run-cli.js';

const { work, bad, good } = loadCorpus();
const seconds: { name: string; seconds: number; isWarm: boolean | undefined }[] = [];
const query = {
  id: 'q',
  kind: 'sql',
  text: 'SELECT symbol FROM clean WHERE dt = :day',
  given: ['day'],
} as const;
let master: Awaited<ReturnType<typeof masterWith>>;
let dataDir: string;
let env: Record<string, string>;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'cryptopipe-check-'));
  const { PATH = '', HOME = '', JAVA_HOME = '', CRYPTOPIPE_CACHE_DIR } = process.env;
  env = {
    ...{ PATH, HOME, ...(JAVA_HOME === '' ? {} : { JAVA_HOME }), CRYPTOPIPE_DATA_DIR: dataDir },
    ...(CRYPTOPIPE_CACHE_DIR === undefined ? {} : { CRYPTOPIPE_CACHE_DIR }),
  };
  const app = createApp(loadConfig({}, env, '/nonexistent/.env'));
  await app.stack.install({ say: () => undefined, signal: AbortSignal.timeout(280_000) });
  master = await masterWith();
  env['SPARK_UI_URL'] = master.url;
  await expectWarm(app.textChecker, 'of this computer');
}, 600_000);

afterAll(async () => {
  master.server.close();
  for (const folder of [work, dataDir]) await rm(folder, { recursive: true, force: true });
  const sorted = seconds.map((one) => one.seconds).sort((left, right) => left - right);
  const at = (part: number): string => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(2);
  console.log(`check, ${sorted.length} calls: median ${at(0.5)} s, p95 ${at(0.95)} s, longest ${at(1)} s`);
});

/** Asks until the parser's archive is there, which the first call has written beside it; prints what both took. */
async function expectWarm(checker: TextChecker, what: string): Promise<void> {
  const ask = async (): Promise<boolean | undefined> => {
    const started = performance.now();
    const { isWarm, skipped } = await checker.check([query], AbortSignal.timeout(60_000));
    expect(skipped).toEqual([]);
    const took = ((performance.now() - started) / 1000).toFixed(2);
    console.log(`Spark's parser ${what}, ${isWarm === true ? 'warm' : 'cold'}: ${took} s`);
    return isWarm;
  };
  if (await ask()) return;
  await vi.waitUntil(ask, { timeout: 120_000, interval: 5_000 });
}

async function check(
  one: Pick<CorpusCase, 'name' | 'folder' | 'args' | 'workers'>,
): Promise<CliResult & { report: CheckReport }> {
  master.workers.splice(0, Infinity, ...one.workers);
  const jobs = one.args[0] === 'sql' ? [] : ['--jobs', one.folder];
  const started = performance.now();
  const result = await callCli([...jobs, 'check', ...one.args, '--json'], env);
  const report = JSON.parse(result.out || 'null') as CheckReport;
  seconds.push({ name: one.name, seconds: (performance.now() - started) / 1000, isWarm: report.isWarm });
  return { ...result, report };
}

describe('60 bad jobs and queries', () => {
  const missed: string[] = [];

  it('are 10 of each of six kinds, 15 of them bad SQL', () => {
    const kinds = new Map<string, number>();
    for (const { name } of bad)
      kinds.set(name.split('/')[1] ?? '', (kinds.get(name.split('/')[1] ?? '') ?? 0) + 1);
    expect([...kinds.values()]).toEqual([10, 10, 10, 10, 10, 10]);
    expect(bad.filter(({ expected }) => expected?.problem === 'sql')).toHaveLength(15);
  });

  it.each(bad.map((one) => [one.name, one] as const))('%s', async (name, one) => {
    missed.push(name);
    const { exitCode, report } = await check(one);
    const { problem, says, where } = one.expected!;
    const found = report.problems.filter(
      ({ kind, message, file, line, parameter }) =>
        kind === problem &&
        `${file ?? ''} ${message}`.includes(says) &&
        (where.file === undefined || file?.endsWith(where.file) === true) &&
        (where.line === undefined || line === where.line) &&
        (where.parameter === undefined || parameter === where.parameter),
    );
    expect(found, JSON.stringify(report.problems, null, 2)).not.toEqual([]);
    expect(report.skipped).toEqual([]);
    expect([2, 3]).toContain(exitCode);
    missed.pop();
  });

  it('are all caught, with the right word at the right place', () => {
    expect(missed).toEqual([]);
  });
});

describe('what is good', () => {
  it.each(good.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const { exitCode, report } = await check(one);
    expect(report.problems).toEqual([]);
    expect(report.skipped).toEqual([]);
    expect(exitCode).toBe(0);
  });

  it('the shipped jobs', async () => {
    const { exitCode, out } = await callCli(['check', '--json'], env);
    const report = JSON.parse(out) as CheckReport;
    expect(report.problems).toEqual([]);
    expect(report.checked).toContain('streaming');
    expect(report.statements).toBeGreaterThan(0);
    expect(exitCode).toBe(0);
  });
});

describe("Spark's parser", () => {
  const settings = (): Parameters<typeof createTextChecker>[0] => {
    const { nativeInstallation } = createApp(loadConfig({}, env, '/nonexistent/.env'));
    return {
      ...{
        scripts: resolve(import.meta.dirname, '../../scripts'),
        environment: env,
        cacheDir: join(work, 'cache'),
      },
      ...{ python: nativeInstallation.python, sparkHome: nativeInstallation.sparkHome },
    };
  };

  it('is cold once: the first call leaves an archive for the next', async () => {
    await expectWarm(createTextChecker(settings()), 'with a cache of its own');
  });

  it('that is not there is a check that was not made, and is said', async () => {
    const { skipped } = await createTextChecker({ ...settings(), sparkHome: undefined }).check(
      [query],
      AbortSignal.timeout(60_000),
    );
    expect(skipped).toMatchObject([{ what: 'sql', why: expect.stringContaining('no Spark') as string }]);
  });

  it('needs Java, and says so', async () => {
    const environment = { ...env, JAVA_HOME: '/nonexistent' };
    const { skipped } = await createTextChecker({ ...settings(), environment }).check(
      [query],
      AbortSignal.timeout(60_000),
    );
    expect(skipped).toMatchObject([
      { what: 'sql', why: expect.stringContaining('/nonexistent/bin/java') as string },
    ]);
  });

  it('needs Python, and says so', async () => {
    const { skipped } = await createTextChecker({ ...settings(), python: '/nonexistent/python3' }).check(
      [query],
      AbortSignal.timeout(60_000),
    );
    expect(skipped.map(({ what }) => what)).toEqual(['python', 'sql']);
  });
});
