import { describe, expect, it } from 'vitest';
import { checkFile, checkJobs, type CheckPorts } from '../../../src/commands/check.js';
import { exitCodeOf, type CheckReport } from '../../../src/commands/check/report.js';
import type { Job } from '../../../src/core/job.js';
import type { CheckedText, TextReport } from '../../../src/core/ports/check.js';
import { problemLine } from '../../../src/core/problem.js';
import { streaming } from '../../support/submission-world.js';

const job: Job = {
  ...streaming,
  name: 'daily',
  manifest: 'daily.job.yaml',
  template: 'daily.py.hbs',
  sparkSettings: { 'spark.hadoop.fs.s3a.secret.key': 'hunter2' },
  parameters: [
    { name: 'day', type: 'date', default: undefined, meaning: 'the day' },
    { name: 'top', type: 'integer', default: '10', meaning: 'how many' },
  ],
};
const template = 'DAY = {{py day}}\nTOP = {{py top}}\n';
const nothing: TextReport = { problems: [], skipped: [], statements: 0, isWarm: undefined };
const { signal } = new AbortController();

class World {
  readonly asked: CheckedText[] = [];
  constructor(private readonly answer: Partial<TextReport> = {}) {}

  get ports(): CheckPorts {
    return {
      catalogue: { jobs: [job], problems: [] },
      templates: {
        job: (_file, values) => ({
          ...{ sha256: 'f00d', text: `DAY = "${String(values['day'])}"\nTOP = ${String(values['top'])}\n` },
        }),
        sqlJob: () => ({ text: '', sha256: 'f00d' }),
        sqlStep: (step) => ({ text: step, sha256: 'f00d' }),
      },
      inspector: {
        problems: () => [],
        sources: () => [{ file: 'daily.py.hbs', text: template }],
        checks: () => [],
      },
      files: { read: () => 'name: daily\nspark:\n  spark.hadoop.fs.s3a.secret.key: hunter2\n' },
      texts: {
        check: (texts) => {
          this.asked.push(...texts);
          return Promise.resolve({ ...nothing, ...this.answer });
        },
      },
    };
  }

  async jobs(name: string | undefined, ...overrides: string[]): Promise<CheckReport> {
    return checkJobs(this.ports, { job: name, overrides, workers: undefined, signal });
  }
}
const lines = ({ problems }: CheckReport): string[] => problems.map(problemLine);
const secret = 'daily.job.yaml:3: spark.hadoop.fs.s3a.secret.key has the name of a secret, and a value';

describe('the check of a job', () => {
  it('tells everything at once, and checks the rest with a made-up value', async () => {
    const world = new World();
    const report = await world.jobs('daily', 'dya=2026-01-01', 'top=ten');
    expect(lines(report)).toEqual([
      'dya: no such parameter; did you mean day?',
      'day: is missing: the day',
      'top (ten): is not a whole number',
      secret,
    ]);
    expect(report.madeUp).toEqual(['daily.day', 'daily.top']);
    expect(world.asked).toEqual([{ id: 'daily', kind: 'python', text: 'DAY = "2026-01-01"\nTOP = 1\n' }]);
  });

  it('among all jobs asks for no value that only its run has', async () => {
    const report = await new World().jobs(undefined);
    expect(lines(report)).toEqual([secret]);
    expect(report.madeUp).toEqual(['daily.day']);
  });

  it('names the line of the template, not that of the rendered text, and the column only where it is the same', async () => {
    const problem = {
      id: 'daily',
      kind: 'python',
      message: 'bad',
      line: 2,
      column: 5,
      parameter: undefined,
    } as const;
    const report = await new World({ problems: [problem] }).jobs('daily', 'day=2026-01-01');
    expect(lines(report)).toContain('daily.py.hbs:2: bad');
  });

  it('looks at the statements that a job runs through, each at its own line', async () => {
    const problem = {
      id: 'own.sql.hbs',
      kind: 'sql',
      message: 'bad',
      line: 2,
      column: 3,
      parameter: undefined,
    } as const;
    const world = new World({ problems: [problem] });
    const inspector = {
      ...world.ports.inspector,
      checks: () => [{ file: 'own.sql.hbs', text: '-- own\n  SELCT' }],
    };
    const options = { job: 'daily', overrides: ['day=2026-01-01'], workers: undefined, signal };
    expect(lines(await checkJobs({ ...world.ports, inspector }, options))).toContain('own.sql.hbs:2:3: bad');
    expect(world.asked).toContainEqual({ id: 'own.sql.hbs', kind: 'sql', text: '-- own\n  SELCT' });
  });

  it('does not show a value that may be a secret', async () => {
    const report = await new World().jobs('daily', 'day=ghp_0123456789abcdefghijklmnopqrstuvwxyz');
    expect(lines(report)).toEqual([
      'day: is not a day as 2026-01-31',
      secret,
      'the value of day holds a token of a code host',
    ]);
    expect(JSON.stringify(report)).not.toContain('ghp_');
  });

  it('that is not there is a wrong word', async () => {
    await expect(new World().jobs('dayly')).rejects.toThrow('There is no job dayly; did you mean daily?');
  });
});

describe('the check of a statement', () => {
  const world = new World();
  const check = (text: string, ...overrides: string[]): Promise<CheckReport> =>
    checkFile(
      { ...world.ports, files: { read: () => text } },
      { file: 'q.sql', kind: 'sql', overrides, workers: undefined, signal },
    );

  it('tells what is given and not used, twice, no value at all, or not of the declared type', async () => {
    const report = await check(
      '-- :top integer\nSELECT :day, :top',
      'dya=1',
      'day=1',
      'day=2',
      'nonsense',
      'top=x',
    );
    expect(lines(report)).toEqual([
      'dya: no such parameter; did you mean day?',
      'day: is given twice',
      'nonsense: is not name=value',
      'top (x): is not a whole number',
    ]);
    expect(exitCodeOf(report, false)).toBe(2);
  });

  it('knows the defaults that its comments declare, and leaves to the parser what has no value', async () => {
    const report = await check('-- :day date = 2026-01-01, the day\n-- :top integer\nSELECT :day, :top');
    expect(lines(report)).toEqual([]);
    expect(world.asked.at(-1)).toMatchObject({ kind: 'sql', given: ['day'] });
  });

  it('tells what its comments declare wrongly', async () => {
    expect(lines(await check('-- :day dat\nSELECT :day'))).toEqual([
      'q.sql: The line `-- :day dat` declares no parameter',
    ]);
  });
});

describe('the check of a file against the workers', () => {
  const { ports } = new World();
  const sql: Job = { ...job, name: 'sql', resources: { ...job.resources, driverMemory: '3g' } };
  const check = async (kind: 'sql' | 'python', memoryMb: number): Promise<CheckReport> =>
    checkFile(
      { ...ports, catalogue: { jobs: [sql], problems: [] }, files: { read: () => 'SELECT 1' } },
      { file: `f.${kind}`, kind, overrides: [], workers: [{ cores: 4, memoryMb }], signal },
    );

  it('compares a statement as the job sql', async () => {
    const report = await check('sql', 2048);
    expect(lines(report)).toEqual(['f.sql: driver_memory 3g: the largest worker has 2048 MiB']);
    expect(exitCodeOf(report, false)).toBe(3);
  });

  it('compares a program as one of which nothing is said', async () => {
    expect(lines(await check('python', 2048))).toEqual([]);
    expect(lines(await check('python', 512))).toEqual([
      'f.python: driver_memory 1g: the largest worker has 512 MiB',
      'f.python: executor_memory 1g: the largest worker has 512 MiB',
    ]);
  });
});

describe('the exit code', () => {
  const report: CheckReport = {
    ...{ checked: [], problems: [], skipped: [], madeUp: [], statements: 0, isWarm: undefined },
  };
  const skipped = (what: 'sql' | 'resources'): CheckReport => ({
    ...report,
    skipped: [{ what, why: '', nextStep: '' }],
  });

  it.each([
    ['nothing is wrong', report, false, 0],
    ['a file is wrong', { ...report, problems: [{ kind: 'sql' as const, message: '', file: 'a' }] }, true, 3],
    ['a check was not made', skipped('sql'), false, 3],
    ['a check was not made, and that is allowed', skipped('sql'), true, 0],
    ['only the master did not answer', skipped('resources'), false, 4],
  ])('where %s', (_what, found, allowSkipped, code) => expect(exitCodeOf(found, allowSkipped)).toBe(code));
});
