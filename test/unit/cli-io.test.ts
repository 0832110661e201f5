import { describe, expect, it } from 'vitest';
import { guarded, type Io } from '../../src/cli/io.js';
import { liveLine } from '../../src/cli/live-line.js';
import { printCsv, printJson, printTable } from '../../src/cli/print.js';

const hostile = '\u001b]0;owned\u0007\u001b[2J\u001b[31mAll trades verified';
const shown = '\\u001b]0;owned\\u0007\\u001b[2J\\u001b[31mAll trades verified';
const secrets = [{ name: 'POSTGRES_PASSWORD', value: 'canary-4711' }];

function streams(isTerminal: boolean) {
  const written = { out: '', err: '' };
  const io: Io = {
    out: (text) => (written.out += text),
    err: (text) => (written.err += text),
    ...{ isTerminal, isOutputTerminal: isTerminal, useColor: isTerminal },
  };
  return { written, io: guarded(io, () => secrets) };
}

describe.each([true, false])('text from outside (terminal: %s)', (isTerminal) => {
  it('is shown, and does nothing', () => {
    const { io, written } = streams(isTerminal);
    io.err(`error: the exchange refused: ${hostile}\n`);
    io.out(`${hostile}\n`);
    expect(written).toEqual({ err: `error: the exchange refused: ${shown}\n`, out: `${shown}\n` });
  });

  it('does nothing in a cell of a table, whose own colors stay', () => {
    const { io, written } = streams(isTerminal);
    printTable(io, ['value'], [[hostile]]);
    expect(written.out).toContain(shown);
    expect(written.out).not.toContain('\u001b]');
    expect(written.out.includes('\u001b[36m')).toBe(isTerminal);
  });

  it('does nothing in a line that is drawn over', () => {
    const { io, written } = streams(isTerminal);
    liveLine(io, false).draw(hostile);
    expect(written.err).toBe(isTerminal ? `\r\u001b[2K${shown}` : `${shown}\n`);
  });

  it('keeps its meaning in JSON', () => {
    const { io, written } = streams(isTerminal);
    printJson(io, { text: `${hostile}\u009b2J` });
    for (const character of ['\u001b', '\u009b']) expect(written.out).not.toContain(character);
    expect(JSON.parse(written.out)).toEqual({ text: `${hostile}\u009b2J` });
  });

  it('is the content of a file in CSV, unless that goes to a terminal', () => {
    const { io, written } = streams(isTerminal);
    printCsv(io, ['value'], [[hostile]]);
    expect(written.out).toBe(`value\r\n${isTerminal ? shown : hostile}\r\n`);
  });
});

describe('a secret', () => {
  it('is not shown where it comes in two writes', () => {
    const { io, written } = streams(false);
    io.out('the password is cana');
    io.out('ry-4711, they say');
    io.flush();
    expect(written.out).toBe('the password is <POSTGRES_PASSWORD>, they say');
  });

  it('is not shown where its end looks like its beginning', () => {
    const { io, written } = streams(false);
    io.out('canary-4711c');
    io.flush();
    expect(written.out).toBe('<POSTGRES_PASSWORD>c');
  });

  it('holds nothing back that only begins like one', () => {
    const { io, written } = streams(false);
    io.out('a canar');
    expect(written.out).toBe('a ');
    io.out('d\n');
    expect(written.out).toBe('a canard\n');
  });
});
