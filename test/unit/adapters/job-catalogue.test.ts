import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCatalogue, requireSound } from '../../../src/adapters/job-catalogue.js';
import { problemLine } from '../../../src/core/problem.js';
import { resolveParameters } from '../../../src/core/job-parameters.js';
import { connection, shippedJobs, streaming } from '../../support/submission-world.js';

let folder: string;

const put = (path: string, text: string): void => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const manifest = (lines: readonly string[], file = 'mine.job.yaml'): void => {
  put(join(file, '../mine.py.hbs'), 'pass\n');
  put(
    file,
    `${['name: mine', 'meaning: mine', 'app_name: Mine', 'template: mine.py.hbs', ...lines].join('\n')}\n`,
  );
};
const problems = (): string[] =>
  readCatalogue([folder], connection).problems.map((problem) =>
    problemLine(problem).replaceAll(`${folder}/`, ''),
  );

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cryptopipe-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the shipped jobs', () => {
  it('begin with the stream, one run at a time', () => {
    expect(shippedJobs.map(({ name }) => name)).toContain('streaming');
    expect(streaming).toMatchObject({
      appName: 'CryptoStreamingJob',
      single: true,
      supervise: true,
      resources: { driverCores: 1, driverMemory: '1g', executorCores: 2, executorMemory: '1g', coresMax: 2 },
    });
    expect(streaming.sparkSettings['spark.sql.shuffle.partitions']).toBe('2');
  });
});

describe('a manifest', () => {
  it('needs little: resources have defaults, and values keep the text they were written with', () => {
    manifest([
      'spark: { spark.ui.retainedJobs: 10 }',
      'parameters:',
      '  - { name: limit, type: decimal, default: 1.10, meaning: a limit }',
      '  - { name: day, type: date, meaning: a day }',
      '  - { name: is_dry, type: boolean, default: no, meaning: a flag }',
    ]);
    expect(problems()).toEqual([
      'mine.job.yaml:9: parameter is_dry: its default no is neither true nor false',
    ]);
    manifest([
      'parameters:',
      '  - { name: limit, type: decimal, default: 1.10, meaning: a limit }',
      '  - { name: place, type: url, schemes: [hdfs], default: "${hdfs_root}/x", meaning: a place }',
    ]);
    const [job] = requireSound(readCatalogue([folder], connection));
    expect(job?.resources).toEqual({
      ...{ driverCores: 1, driverMemory: '1g', executorCores: 2, executorMemory: '1g', coresMax: 2 },
    });
    expect(resolveParameters(job?.parameters ?? [], [])).toEqual({
      limit: '1.10',
      place: 'hdfs://localhost:8020/x',
    });
  });

  it('may lie in a folder of its own', () => {
    manifest([], 'mine/mine.job.yaml');
    expect(readCatalogue([folder], connection).jobs.map(({ name }) => name)).toEqual(['mine']);
  });

  it('is wrong in one message, each problem with its line', () => {
    manifest([
      'resources: { driver_memory: 1gb, cores_max: 0 }',
      'spark: { sql.shuffle: 2 }',
      'singel: true',
      'parameters:',
      '  - { name: Day, type: date, meaning: a day }',
      '  - { name: day, type: dat, meaning: a day }',
      '  - { name: hour, type: integer }',
      "  - { name: word, type: text, pattern: '(', meaning: a word }",
    ]);
    expect(problems()).toEqual([
      'mine.job.yaml:5: resources.driver_memory is not memory as Spark takes it: 512m or 2g',
      'mine.job.yaml:5: resources.cores_max is not a whole number from 1 to 9999',
      'mine.job.yaml:6: spark.sql.shuffle is no Spark setting',
      'mine.job.yaml:9: parameters.0.name is not a name in snake_case',
      'mine.job.yaml:10: parameters.1.type is not one of text, integer, decimal, boolean, choice, url, date, time',
      'mine.job.yaml:11: parameters.2.meaning is missing',
      expect.stringMatching(/^mine\.job\.yaml:12: parameters\.3\.pattern is no regular expression: /),
      'mine.job.yaml:1: the manifest has no such entry: singel',
    ]);
  });

  it('is wrong where it is no YAML, and where two parameters have one name or a default names nothing', () => {
    put('bad.job.yaml', 'name: [');
    manifest([
      'parameters:',
      '  - { name: day, type: text, default: "${nobody}", meaning: a day }',
      '  - { name: day, type: text, meaning: a day }',
    ]);
    expect(problems()).toEqual([
      expect.stringMatching(/^bad\.job\.yaml:\d: is no YAML: /),
      expect.stringMatching(
        /^mine\.job\.yaml:6: parameter day: its default holds \$\{nobody\}, which is none of /,
      ),
      'mine.job.yaml:7: parameter day: is there twice',
    ]);
  });

  it('is wrong where it says what the submission says, or asks for executors that never start', () => {
    manifest([
      'resources: { executor_cores: 4, cores_max: 2 }',
      'spark: { spark.app.name: Mine, spark.executor.memory: 4g }',
    ]);
    expect(problems()).toEqual([
      'mine.job.yaml:6: spark.app.name is not for a manifest: write app_name; a run is found by the name that is made of it',
      'mine.job.yaml:6: spark.executor.memory is not for a manifest: write resources.executor_memory',
      'mine.job.yaml:5: cores_max 2 is less than executor_cores 4: no executor would ever start',
    ]);
  });

  it('is wrong where its template is missing or its name is taken', () => {
    manifest([], 'a/mine.job.yaml');
    manifest([], 'b/mine.job.yaml');
    put('c/c.job.yaml', 'name: c\nmeaning: c\napp_name: C\ntemplate: c.py.hbs\n');
    expect(problems().map((problem) => problem.replaceAll(`${folder}/`, ''))).toEqual([
      'c/c.job.yaml:4: there is no template c.py.hbs beside the manifest',
      'b/mine.job.yaml: its name mine is taken by a/mine.job.yaml',
    ]);
  });
});

describe('typed parameters', () => {
  const check = (lines: string, ...given: string[]): unknown => {
    manifest(['parameters:', `  - { name: x, meaning: a value, ${lines} }`]);
    const [job] = requireSound(readCatalogue([folder], connection));
    try {
      return resolveParameters(job?.parameters ?? [], given)['x'];
    } catch (error) {
      return (error as Error).message.split('\n  ')[1];
    }
  };

  it.each([
    ['type: date', 'x=2024-02-29', '2024-02-29'],
    ['type: date', 'x=2026-02-29', 'x: is not a day as 2026-01-31'],
    ['type: date, min: 2026-01-01', 'x=2025-12-31', 'x: is not a day as 2026-01-31 from 2026-01-01'],
    ['type: time', 'x=2026-01-01T23:59:59Z', '2026-01-01T23:59:59Z'],
    ['type: time', 'x=2026-01-01T24:00:00Z', 'x: is not a time in UTC as 2026-01-31T23:59:00Z'],
    ['type: decimal, max: 0.5', 'x=0.50', '0.50'],
    ['type: decimal, max: 0.5', 'x=0.500000000000000000001', 'x: is not a decimal number up to 0.5'],
    ['type: integer, min: -5, max: 10', 'x=9', 9],
    ['type: integer, min: -5, max: 10', 'x=11', 'x: is not a whole number from -5 to 10'],
    ['type: boolean', 'x=true', true],
    ['type: text, pattern: a|b', 'x=ab', 'x: does not match ^(?:a|b)$'],
  ])('%s takes %s as %j', (lines, given, expected) => {
    expect(check(lines, given)).toBe(expected);
  });

  it('without a default has to be given', () => {
    expect(check('type: text')).toBe('x: is missing: a value');
  });
});
