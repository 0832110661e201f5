import { describe, expect, it } from 'vitest';
import { resolveParameters } from '../../../src/core/job-parameters.js';
import { sqlArguments, sqlParameters } from '../../../src/core/sql-parameters.js';
import { readSqlText } from '../../../src/core/sql-text.js';

/** What would be bound, as the job reads it. */
function bound(text: string, overrides: readonly string[]): unknown {
  const sql = readSqlText(text);
  const parameters = sqlParameters(sql, overrides);
  return JSON.parse(sqlArguments(sql, parameters, resolveParameters(parameters, overrides)));
}

describe('the parameters of a file of SQL', () => {
  it.each([
    ['2026-01-31', { date: '2026-01-31' }],
    ['2026-02-31', { text: '2026-02-31' }],
    ['2026-01-31T23:59:00Z', { time: '2026-01-31T23:59:00Z' }],
    ['42', { integer: 42 }],
    ['-42', { integer: -42 }],
    ['007', { text: '007' }],
    ['0.10', { decimal: '0.10' }],
    ['0', { integer: 0 }],
    ['true', { boolean: true }],
    ['1000SATS', { text: '1000SATS' }],
    ["x' OR 1=1 --", { text: "x' OR 1=1 --" }],
  ])('are typed by the form of their value: %s', (value, typed) => {
    expect(bound('SELECT :it', [`it=${value}`])).toEqual({ it: typed });
  });

  it('are typed by the header, which may bring a default and a meaning', () => {
    const sql = `-- volume: one row a symbol
-- :id text
-- :least decimal = 0.5, the least price
-- :day date = 2026-01-01, the day, in UTC
SELECT :id, :least, :day`;
    expect(bound(sql, ['id=42', 'day=2026-01-02'])).toEqual({
      id: { text: '42' },
      least: { decimal: '0.5' },
      day: { date: '2026-01-02' },
    });
    expect(sqlParameters(readSqlText(sql), []).map(({ meaning }) => meaning)).toEqual([
      'stands in the SQL as :id',
      'the least price',
      'the day, in UTC',
    ]);
  });

  it('are refused where they are missing, unknown, or of another type than declared', () => {
    const sql = '-- :n integer\nSELECT :n, :day';
    expect(() => bound(sql, ['n=x', 'dya=2026-01-01'])).toThrow(
      /dya: no such parameter; did you mean day\?\n {2}n: is not a whole number\n {2}day: is missing: stands in the SQL as :day/,
    );
  });

  it.each([
    ['-- :day\nSELECT :day', '`-- :day` declares no parameter'],
    ['-- :day dat\nSELECT :day', '`-- :day dat` declares no parameter'],
    ['-- :day date\nSELECT 1', 'declares :day, and the statement does not use it'],
  ])('are refused where a header line is wrong: %j', (sql, message) => {
    expect(() => bound(sql, [])).toThrow(message);
  });

  it('bind only what the statement uses, and refuse what no job declares', () => {
    const day = { name: 'day', type: 'date', default: undefined, meaning: '' } as const;
    const table = { name: 'table', type: 'choice', choices: ['a'], default: 'a', meaning: '' } as const;
    const values = { day: '2026-01-01', table: 'a' };
    expect(sqlArguments(readSqlText('SELECT :day FROM a'), [day, table], values)).toBe(
      '{"day":{"date":"2026-01-01"}}',
    );
    expect(() => sqlArguments(readSqlText('SELECT :dy'), [day], values)).toThrow(
      ':dy, which is no parameter of the job',
    );
  });
});
