import { describe, expect, it } from 'vitest';
import { originOf } from '../../../src/core/rendered-lines.js';

const template = {
  file: 'job.py.hbs',
  text: [
    'import os',
    '',
    '{{> py/part}}',
    '',
    'DAY = {{py day}}',
    '{{#if loud}}',
    'print(DAY)',
    '{{/if}}',
    'x = 1',
    '',
  ].join('\n'),
};
const part = { file: 'part.py.hbs', text: 'PORT = {{py port}}\nx = 1\n' };
const rendered = [
  'import os',
  '',
  'PORT = 5432',
  'x = 1',
  '',
  'DAY = "2026-01-01"',
  'print(DAY)',
  'x = 1',
  '',
].join('\n');

describe('the origin of a rendered line', () => {
  it.each([
    [1, { file: 'job.py.hbs', line: 1, isSame: true }],
    [3, { file: 'part.py.hbs', line: 1, isSame: false }],
    [6, { file: 'job.py.hbs', line: 5, isSame: false }],
    [7, { file: 'job.py.hbs', line: 7, isSame: true }],
    [8, { file: 'job.py.hbs', line: 9, isSame: true }],
  ])('%s is told by what it holds, in its order', (line, origin) =>
    expect(originOf(rendered, [template, part], line)).toEqual(origin),
  );

  it('that is in no file is none', () => {
    expect(originOf('nothing of it', [template, part], 1)).toBeUndefined();
  });
});
