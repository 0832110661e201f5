import { describe, expect, it } from 'vitest';
import { readSqlText } from '../../../src/core/sql-text.js';

describe('a text of SQL', () => {
  it('names each parameter once, in order, and no other colon', () => {
    const sql = `
      SELECT ':text', r'\\:raw', "x\\":no", \`a:b\`, day::DATE, from_json(v, 'a :c') -- :comment
      /* :one /* :nested */ :still */ FROM clean
      WHERE day = :day AND symbol IN (:symbol) AND price>:least AND x = :day AND CAST(v AS STRUCT<a:INT, b: INT>) IS NULL`;
    expect(readSqlText(sql).parameters).toEqual(['day', 'symbol', 'least']);
  });

  it('ends a statement at a semicolon that is neither text nor comment', () => {
    const { statements } = readSqlText(`-- one; only
      SELECT ';', "a;b", \`;\` /* ; */ -- ;
      ;  SELECT 2 ; ; -- the end`);
    expect(statements).toEqual([`-- one; only\n      SELECT ';', "a;b", \`;\` /* ; */ -- ;`, 'SELECT 2']);
  });

  it('keeps a script whole', () => {
    const script = '-- a script\nBEGIN\n  SELECT 1;\n  SELECT 2;\nEND';
    expect(readSqlText(script).statements).toEqual([script]);
  });

  it('gives the comments before the first word as header', () => {
    const { header } = readSqlText('-- a\n\n/* b */\n-- :day date\nSELECT 1 -- c\n');
    expect(header).toEqual(['-- a', '-- :day date']);
  });

  it.each(["SELECT 'open", 'SELECT /* open', '', ';;', 'SELECT `', '\\'])(
    'takes whatever it is given: %j',
    (text) => {
      expect(readSqlText(text).parameters).toEqual([]);
    },
  );
});
