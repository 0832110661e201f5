import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTemplateStore } from '../../../src/adapters/templates.js';
import { ConfigError } from '../../../src/core/errors.js';

let root: string;

const put = (path: string, text: string): void => writeFileSync(join(root, path), text);
const render = (text: string, values: Record<string, string | number | boolean> = {}): string => {
  put('templates/job.py.hbs', text);
  return createTemplateStore(root).job(join(root, 'templates/job.py.hbs'), values).text;
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cryptopipe-'));
  mkdirSync(join(root, 'templates/partials'), { recursive: true });
  mkdirSync(join(root, 'spark-sql'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('a template', () => {
  it.each([
    ['text', `it's "x"\\`, `"it's \\"x\\"\\\\"`],
    ['whole number', 500, '500'],
    ['boolean', true, 'True'],
    ['no', false, 'False'],
  ])('writes a %s as a Python literal', (_what, value, literal) => {
    expect(render('X = {{py x}}', { x: value })).toBe(`X = ${literal}\n`);
  });

  it('leaves < and & of SQL and Python as they are', () => {
    expect(render('a < b && {{x}}', { x: '<&>' })).toBe('a < b && <&>\n');
  });

  it('quotes a name of SQL, and refuses what is none', () => {
    expect(render('{{ident x}}', { x: 'crypto.bars' })).toBe('`crypto`.`bars`\n');
    expect(() => render('{{ident x}}', { x: 'a; DROP TABLE b' })).toThrow(ConfigError);
  });

  it('takes in shared Python and single SQL steps', () => {
    put('templates/partials/warehouse.py.hbs', 'PORT = {{py port}}\n');
    put('spark-sql/trades.sql.hbs', 'SELECT 1 < 2\n');
    expect(render('{{> py/warehouse}}\nSQL = r"""{{> sql/trades}}"""', { port: 5432 })).toBe(
      'PORT = 5432\nSQL = r"""SELECT 1 < 2\n"""\n',
    );
    expect(createTemplateStore(root).sqlStep('trades', {}).text).toBe('SELECT 1 < 2\n');
  });

  it('takes in every check, those of further folders too, as they are', () => {
    mkdirSync(join(root, 'spark-sql/checks'));
    mkdirSync(join(root, 'mine'));
    put('spark-sql/checks/keys.sql.hbs', 'SELECT 1 < 2\n');
    put('mine/more.sql.hbs', 'SELECT {{x}}\n');
    put('templates/job.py.hbs', '{{#each @checks}}\n{{py name}}: r"{{text}}"\n{{/each}}');
    const store = createTemplateStore(root, [join(root, 'mine'), join(root, 'nowhere')]);
    const text = '"keys": r"SELECT 1 < 2"\n"more": r"SELECT {{x}}"\n';
    expect(store.job(join(root, 'templates/job.py.hbs'), {}).text).toBe(text);
    put('mine/keys.sql.hbs', 'SELECT 3\n');
    expect(() => store.job(join(root, 'templates/job.py.hbs'), {})).toThrow(/check keys is there already/);
  });

  it.each([
    ['a value that no parameter has', 'X = {{py nobody}}'],
    ['a partial that is not there', '{{> sql/nobody}}'],
    ['a helper that is not there', '{{upper x}}'],
    ['a value inside a partial that no parameter has', '{{> py/bad}}'],
  ])('fails on %s', (_what, text) => {
    put('templates/partials/bad.py.hbs', '{{py nobody}}');
    expect(() => render(text, { x: 'a' })).toThrow(/templates\/job\.py\.hbs could not be rendered/);
  });

  it('that is missing is named', () => {
    expect(() => createTemplateStore(root).job(join(root, 'templates/nobody.py.hbs'), {})).toThrow(
      'There is no template templates/nobody.py.hbs',
    );
  });
});
