import { describe, expect, it } from 'vitest';
import { printable } from '../../../src/core/printable.js';

describe('printable', () => {
  it('keeps text, tabs and line ends of both kinds', () => {
    const text = 'price\t60 000,5 \u20ac\r\n\u5e01\u5b89 \ud83d\ude00\n';
    expect(printable(text)).toBe(text);
  });

  it.each([
    [
      'the title of the window and an empty screen',
      '\u001b]0;owned\u0007\u001b[2J',
      '\\u001b]0;owned\\u0007\\u001b[2J',
    ],
    ['C1, which some terminals read as ESC', '\u009b31m', '\\u009b31m'],
    ['a line that is written over', 'all is lost\rall is well', 'all is lost\\u000dall is well'],
    ['the direction of writing', 'a\u202eb\u2066c\u2069', 'a\\u202eb\\u2066c\\u2069'],
    ['backspace and delete', 'no\b\u007f', 'no\\u0008\\u007f'],
  ])('shows what would change %s', (_what, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('leaves the meaning of a JSON document', () => {
    const value = { text: 'a\u009bb\u202ec\\u001b' };
    expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
    expect(printable(JSON.stringify(value))).not.toContain('\u009b');
  });
});
