import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp, type App } from '../../src/compose.js';
import { callCli, type CliResult } from '../support/run-cli.js';
import { compileScala } from '../support/scala-jar.js';
import { startStack, type TestStack } from '../support/stack.js';

const programs = join(import.meta.dirname, '../fixtures/programs');
const small = ['--driver-memory', '512m', '--executor-memory', '512m', '--cores', '1'];
const names = ['FINISHED', 'FAILED', 'KILLED', 'ERROR'] as const;
const kinds = ['python', 'sql', 'jar'] as const;
type Kind = (typeof kinds)[number];
type End = (typeof names)[number];

async function textsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')));
}

/** What the programs do, by the end that they are to come to. */
const ending = { FINISHED: 'ends', FAILED: 'fails', KILLED: 'stays', ERROR: 'ends' };

const statements: Readonly<Record<End, string>> = {
  FINISHED: 'SELECT :answer AS answer, count(*) AS runs FROM job_runs WHERE job = :nobody',
  FAILED: '-- A word is missing.\nSELECT symbol FROM clean GROUP symbol',
  KILLED: 'SELECT count(*) AS pairs FROM range(10000000) CROSS JOIN range(10000000)',
  ERROR: 'SELECT 1 AS one',
};

/** Of PostgreSQL; the statement that finishes reads a table there. */
const canary = 'canary-4711-of-the-warehouse';

let stack: TestStack;
let app: App;
let work: string;
const results = new Map<string, CliResult>();
/** A program to which everything belongs that can go with one. */
let equipped: CliResult;

const call = (argv: readonly string[]): Promise<CliResult> => callCli(argv, stack.env);

/** The words of one submission. */
function wordsOf(kind: Kind, end: End): readonly string[] {
  const rest = [...small, '--wait', '--timeout', '600'];
  const program = ['--name', `${kind}-${end.toLowerCase()}`, '--', '2', ending[end]];
  switch (kind) {
    case 'python':
      return ['submit', 'python', join(programs, 'pi.py'), ...rest, ...program];
    case 'jar':
      return ['submit', 'jar', place(end), '--class', 'Pi', ...rest, ...program];
    case 'sql':
      return ['submit', 'sql', join(work, `${end}.sql`), ...parametersOf(end), ...rest];
  }
}

function equippedWords(): readonly string[] {
  const parts = ['--py-file', join(programs, 'answer.py'), '--jar', join(work, 'pi.jar')];
  const rest = ['-c', 'spark.cryptopipe.word=yes', '--wait', '--json'];
  return ['submit', 'python', join(programs, 'with_module.py'), ...small, ...parts, ...rest];
}

/** A JAR that is not there is the honest way to an ERROR: the worker cannot fetch it. */
const place = (end: End): string => (end === 'ERROR' ? 'hdfs:/nowhere/pi.jar' : join(work, 'pi.jar'));
const parametersOf = (end: End): string[] =>
  end === 'FINISHED' ? [...eventLog(), '-p', 'answer=42', '-p', 'nobody=no one'] : [];

/** Spark's own record of a run, in plain text. */
const eventLog = (): string[] =>
  ['enabled=true', `dir=file:${work}`, 'compress=false'].flatMap((setting) => [
    '-c',
    `spark.eventLog.${setting}`,
  ]);

/** Kills the run of one kind from another call, as soon as it works. */
async function killWhenItWorks(kind: Kind): Promise<void> {
  const job = kind === 'sql' ? 'sql' : `${kind}-killed`;
  for (;;) {
    const runs = await app.book.list({ job, live: true });
    const run = runs.find(
      ({ state, parameters }) => state === 'RUNNING' && !/FINISHED|FAILED/.test(String(parameters['file'])),
    );
    if (run !== undefined) {
      expect((await call(['stop', run.runId, '--kill'])).exitCode).toBe(0);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function submitted(kind: Kind, end: End): Promise<void> {
  const [result] = await Promise.all([
    call(wordsOf(kind, end)),
    ...(end === 'KILLED' ? [killWhenItWorks(kind)] : []),
  ]);
  results.set(`${kind} ${end}`, result);
}

/** While it runs, no worker can make the folder of a driver: what a full or broken disk does. */
async function withoutRoomForDrivers(task: () => Promise<void>): Promise<void> {
  const folder = join(stack.dataDir, 'spark-worker', 'work');
  await rename(folder, `${folder}.aside`);
  await writeFile(folder, '');
  await task().finally(async () => {
    await rm(folder);
    await rename(`${folder}.aside`, folder);
  });
}

beforeAll(async () => {
  stack = await startStack({
    name: 'program-ends',
    portOffset: 18_000,
    only: ['postgres', 'data-node', 'spark-worker'],
    env: { POSTGRES_PASSWORD: canary },
  });
  app = createApp(stack.config);
  await app.schema.migrate();
  work = join(stack.dataDir, 'programs');
  await mkdir(work);
  await compileScala(app.nativeInstallation.sparkHome, join(programs, 'Pi.scala'), join(work, 'pi.jar'));
  for (const end of names) await writeFile(join(work, `${end}.sql`), statements[end]);
  // A driver and an executor take a core each of the worker's four, and only what finishes waits for an executor.
  const few = pLimit(3);
  const cells = names.slice(0, 3).flatMap((end) => kinds.map((kind) => ({ kind, end })));
  await Promise.all(cells.map(({ kind, end }) => few(() => submitted(kind, end))));
  await submitted('jar', 'ERROR');
  equipped = await call(equippedWords());
  await withoutRoomForDrivers(async () => {
    await Promise.all([submitted('python', 'ERROR'), submitted('sql', 'ERROR')]);
  });
}, 1_200_000);

afterAll(async () => {
  await app.close();
  await stack.stop();
});

const resultOf = (kind: Kind, end: End): CliResult => results.get(`${kind} ${end}`)!;

describe('submit --wait of a program that finishes', () => {
  it.each(['python', 'jar'] as const)('exits 0 and says FINISHED: %s', (kind) => {
    const { exitCode, out } = resultOf(kind, 'FINISHED');
    expect({ exitCode, out }).toEqual({
      exitCode: 0,
      out: expect.stringMatching(
        new RegExp(`^submitted: ${kind}-finished run \\S+ is FINISHED \\(driver-\\S+\\)\n`),
      ) as string,
    });
  });

  it('prints the rows of a statement, with its parameters bound', () => {
    const { exitCode, out, err } = resultOf('sql', 'FINISHED');
    expect(exitCode).toBe(0);
    expect(
      out
        .replaceAll(/[^\w\n]+/g, ' ')
        .trim()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(expect.arrayContaining(['answer runs', '42 0']) as string[]);
    expect(err).toContain('1 row\n');
  });
});

it('brings a program its modules, its JARs and its settings', async () => {
  expect({ exitCode: equipped.exitCode, err: equipped.exitCode === 0 ? '' : equipped.err }).toEqual({
    exitCode: 0,
    err: '',
  });
  const { runId } = JSON.parse(equipped.out) as { runId: string };
  const { out } = await call(['logs', runId, '--stream', 'stdout', '--lines', '3']);
  expect(out).toBe('answer 42\nsetting yes\nclass Pi\n');
});

it('keeps the password of PostgreSQL out of every log and the event log', async () => {
  const folders = [join(stack.dataDir, 'spark-worker', 'work'), join(stack.dataDir, 'logs'), work];
  const texts = await Promise.all(folders.map(textsBelow));
  // The event log is among them, and it says what was read.
  expect(texts.flat().some((text) => text.includes('JDBCRelation'))).toBe(true);
  expect(texts.flat().filter((text) => text.includes(canary))).toEqual([]);
});

describe('submit --wait of a program that fails', () => {
  it.each<[Kind, RegExp, string]>([
    [
      'python',
      /Traceback \(most recent call last\):[\s\S]*raise ValueError\("asked to fail"\)\nValueError: asked to fail\n/,
      'ValueError: asked to fail',
    ],
    [
      'jar',
      /Caused by: java\.lang\.ArithmeticException: asked to fail/,
      'IllegalStateException: the result cannot be used',
    ],
    [
      'sql',
      /\[PARSE_SYNTAX_ERROR\] Syntax error at or near [\s\S]*SELECT symbol FROM clean GROUP symbol/,
      'PARSE_SYNTAX_ERROR',
    ],
  ])('exits 5, shows why, and says FAILED: %s', (kind, cause, inOneLine) => {
    const { exitCode, out, err } = resultOf(kind, 'FAILED');
    expect({ exitCode, out }).toEqual({ exitCode: 5, out: '' });
    expect(err).toMatch(cause);
    expect(err).not.toContain('Launch Command');
    const message = err.split('\n').find((line) => line.startsWith('error: ')) ?? '';
    expect(message).toMatch(/^error: Run \S+ of \S+ is FAILED: /);
    expect(message).toContain(inOneLine);
  });
});

describe('submit --wait of a program that is killed by another call', () => {
  it.each(kinds)('exits 5 and says KILLED, by whom: %s', (kind) => {
    const { exitCode, out, err } = resultOf(kind, 'KILLED');
    expect({ exitCode, out }).toEqual({ exitCode: 5, out: '' });
    // Whoever sees it first writes down the end: the call that killed it, or the one that waits, by Spark's word.
    expect(err).toMatch(
      /^error: Run \S+ of \S+ is KILLED: (killed by `cryptopipe stop --kill`|driver KILLED: it was killed on request)$/m,
    );
  });
});

describe('submit --wait of a program that Spark cannot start', () => {
  it.each<[Kind, RegExp]>([
    ['python', /Failed to create directory/],
    ['jar', /nowhere\/pi\.jar/],
    ['sql', /Failed to create directory/],
  ])('exits 5 and says ERROR, with the cause: %s', (kind, cause) => {
    const { exitCode, out, err } = resultOf(kind, 'ERROR');
    expect({ exitCode, out }).toEqual({ exitCode: 5, out: '' });
    const message = err.split('\n').find((line) => line.startsWith('error: ')) ?? '';
    expect(message).toMatch(
      /^error: Run \S+ of \S+ is FAILED: driver ERROR: its process could not be started; /,
    );
    expect(message).toMatch(cause);
  });
});
