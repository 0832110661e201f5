import { describe, expect, it } from 'vitest';
import { failureLine, lastLines, tellingEnd } from '../../../src/core/driver-log.js';

const manyLines = (count: number, text: string): string =>
  Array.from({ length: count }, (_, index) => `${text} ${index + 1}`).join('\n');

describe('tellingEnd', () => {
  it('shows the last traceback of Python, without what went before it and without the log of Spark', () => {
    const stdout = [
      'Traceback (most recent call last):',
      'ValueError: handled',
      'going on',
      'Traceback (most recent call last):',
      '  File "streaming.py", line 7, in <module>',
      'ValueError: asked to fail',
      '',
    ].join('\n');
    expect(tellingEnd({ stdout, stderr: manyLines(9, 'INFO') })).toBe(
      'Traceback (most recent call last):\n  File "streaming.py", line 7, in <module>\nValueError: asked to fail',
    );
  });

  it('cuts the middle of a long traceback: its last line names the error', () => {
    const lines = tellingEnd({
      stdout: `Traceback (most recent call last):\n${manyLines(200, '  frame')}\nValueError: deep`,
      stderr: '',
    }).split('\n');
    expect(lines).toHaveLength(60);
    expect(lines.slice(9, 12)).toEqual(['  frame 9', '  …', '  frame 153']);
    expect(lines.at(-1)).toBe('ValueError: deep');
  });

  it('shows the ends of both streams where there is no traceback', () => {
    const end = tellingEnd({ stdout: manyLines(30, 'out'), stderr: manyLines(30, 'err') }).split('\n');
    expect([end[0], end[9], end[10], end.at(-1)]).toEqual(['out 21', 'out 30', 'err 11', 'err 30']);
  });
});

describe('lastLines', () => {
  it('does not count the empty line at the end', () => {
    expect(lastLines('a\nb\nc\n', 2)).toBe('b\nc');
  });
});

describe('failureLine', () => {
  it('is what Python said last, and nothing where it said nothing', () => {
    expect(failureLine('Traceback (most recent call last):\n  File "x"\nValueError: no\n\n')).toBe(
      'ValueError: no',
    );
    expect(failureLine('')).toBeUndefined();
  });
});
