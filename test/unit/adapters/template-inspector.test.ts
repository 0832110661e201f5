import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTemplateInspector } from '../../../src/adapters/template-inspector.js';
import { problemLine } from '../../../src/core/problem.js';

let root: string;

const put = (path: string, text: string): void => writeFileSync(join(root, path), text);
const problems = (text: string, values: Record<string, string> = { day: '2026-01-01' }): string[] => {
  put('job.py.hbs', text);
  return createTemplateInspector(root).problems(join(root, 'job.py.hbs'), values).map(problemLine);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cryptopipe-'));
  mkdirSync(join(root, 'templates/partials'), { recursive: true });
  mkdirSync(join(root, 'spark-sql'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('a look into a template', () => {
  it('tells everything that is wrong at once, each at its place', () => {
    put('templates/partials/part.py.hbs', 'PORT = {{py port}}\n');
    expect(
      problems('A = {{py dya}}\n{{> py/part}}\n{{> py/prat}}\n  {{upper day}}\n{{#if loud}}x{{/if}}\n'),
    ).toEqual([
      'job.py.hbs:1:10: dya is no parameter of this job; did you mean day?',
      'job.py.hbs:3:1: there is nothing to take in called py/prat; did you mean py/part?',
      'job.py.hbs:4:3: there is no helper upper',
      'job.py.hbs:5:7: loud is no parameter of this job',
      'templates/partials/part.py.hbs:1:13: port is no parameter of this job',
    ]);
  });

  it('asks a helper whether it takes the value', () => {
    expect(problems('{{ident day}}')).toEqual([
      'job.py.hbs:1:1: {{ident}} takes a plain SQL name, not "2026-01-01"',
    ]);
  });

  it.each([
    ['{{#if day}}\nx\n', 'job.py.hbs:1: {{#if}} has no {{/if}}'],
    ['x\n{{#if day}}{{#if day}}{{/if}}\n', 'job.py.hbs:2: {{#if}} has no {{/if}}'],
    ['{{#iff day}}{{/iff}}', 'job.py.hbs:1:1: there is no block {{#iff}}'],
  ])('names a block that is wrong: %j', (text, message) => expect(problems(text)).toEqual([message]));

  it('names the line on which a brace is missing', () => {
    expect(problems('x\ny = {{py day}\n')[0]).toMatch(/^job\.py\.hbs:2: is no template: /);
  });

  it.each([
    '{{py day}} {{day}} {{#if day}}{{py day}}{{else}}x{{/if}}',
    'f"\\{{"',
    '{{#each day}}{{this}} {{whatever}}{{/each}}',
    '{{#*inline "own"}}{{day}}{{/inline}}{{> own}}',
    '{{! a comment with {braces} }}',
  ])('finds nothing wrong with %s', (text) => expect(problems(text)).toEqual([]));

  it('gives the template and what it takes in, each once', () => {
    put('templates/partials/part.py.hbs', '{{> sql/step}}');
    put('spark-sql/step.sql.hbs', 'SELECT 1');
    put('job.py.hbs', '{{> py/part}}{{> sql/step}}');
    expect(
      createTemplateInspector(root)
        .sources(join(root, 'job.py.hbs'))
        .map(({ file }) => file),
    ).toEqual(['job.py.hbs', 'templates/partials/part.py.hbs', 'spark-sql/step.sql.hbs']);
  });
});
