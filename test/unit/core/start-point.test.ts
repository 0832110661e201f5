import { expect, it } from 'vitest';
import { parseStartPoint, startPointText } from '../../../src/core/start-point.js';

const time = (text: string): object => ({ kind: 'time', time: Date.parse(text) });

it.each([
  ['now', { kind: 'now' }],
  ['0', { kind: 'id', id: 0 }],
  ['3100000001', { kind: 'id', id: 3100000001 }],
  ['1723161300000', time('2024-08-08T23:55:00Z')],
  ['2024-08-08', time('2024-08-08T00:00:00Z')],
  ['2024-08-08T23:55', time('2024-08-08T23:55:00Z')],
  ['2024-08-08 23:55:01', time('2024-08-08T23:55:01Z')],
  ['2024-08-08T23:55:01.250Z', time('2024-08-08T23:55:01.250Z')],
  ['2024-08-08T23:55+02:00', time('2024-08-08T21:55:00Z')],
])('reads %s, and takes a time without a zone as UTC', (text, expected) => {
  expect(parseStartPoint(text)).toEqual(expected);
});

it.each(['', 'yesterday', '-5', '1.5', '2024-13-01', '2024-08-08T25:00', '08.08.2024'])(
  'refuses %j',
  (text) => {
    expect(parseStartPoint(text)).toBeUndefined();
  },
);

it.each(['now', '0', '3100000001', '2024-08-08T23:55:00.000Z'])('writes %s as it would be read', (text) => {
  expect(startPointText(parseStartPoint(text)!)).toBe(text);
});
