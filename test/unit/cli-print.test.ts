import { describe, expect, it } from 'vitest';
import { printReport, printTable } from '../../src/cli/print.js';

function printed(asJson: boolean, isGood: boolean): { out: string; err: string } {
  const text = { out: '', err: '' };
  const io = {
    ...{ out: (part: string) => (text.out += part), err: (part: string) => (text.err += part) },
    ...{ isTerminal: false, useColor: false },
  };
  printReport(io, { age: 90 }, { asJson, isGood }, (to, { age }) => to.out(`${age} s old\n`));
  return text;
}

describe('a report', () => {
  it('is words for a person', () => {
    expect(printed(false, false)).toEqual({ out: '90 s old\n', err: '' });
  });

  it('is one JSON document for a program, and nothing beside it while all is well', () => {
    expect(printed(true, true)).toEqual({ out: '{"age":90}\n', err: '' });
  });

  it('is both where something is wrong: the words go to stderr', () => {
    expect(printed(true, false)).toEqual({ out: '{"age":90}\n', err: '90 s old\n' });
  });
});

describe('a table', () => {
  const tableOf = (rows: readonly (readonly string[])[]): string => {
    let out = '';
    const io = { out: (part: string) => (out += part), err: () => undefined };
    printTable({ ...io, isTerminal: false, isOutputTerminal: false, useColor: false }, ['a', 'b'], rows);
    return out;
  };

  it('has a line for each line of a cell, and no line between rows', () => {
    expect(
      tableOf([
        ['x', 'one\ntwo'],
        ['y', 'three'],
      ])
        .split('\n')
        .slice(3),
    ).toEqual(['│ x │ one   │', '│   │ two   │', '│ y │ three │', '└───┴───────┘', '']);
  });

  it('of a thousand lines in a cell is there at once', () => {
    const lines = Array.from({ length: 1000 }, (_, index) => `S${index}USDT`);
    const startedAt = performance.now();
    expect(tableOf([['producers', lines.join('\n')]]).split('\n')).toHaveLength(1005);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});
