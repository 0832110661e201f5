import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/core/errors.js';
import { parseDuration, parseTime } from '../../../src/core/time-range.js';

describe('a time that was typed', () => {
  it.each([
    ['2024-08-08T23:55:00Z', Date.UTC(2024, 7, 8, 23, 55)],
    ['2024-08-08T23:55', Date.UTC(2024, 7, 8, 23, 55)],
    ['2024-08-08 23:55:01.5', Date.UTC(2024, 7, 8, 23, 55, 1, 500)],
    ['2024-08-09T01:55+02:00', Date.UTC(2024, 7, 8, 23, 55)],
    ['2024-08-08', Date.UTC(2024, 7, 8)],
    ['1723161300000', 1_723_161_300_000],
  ])('reads %s in UTC', (text, expected) => {
    expect(parseTime(text)).toBe(expected);
  });

  it.each(['', 'yesterday', '2024-13-01', '08/08/2024', '2024-08-08T25:00', '12'])('refuses "%s"', (text) => {
    expect(() => parseTime(text)).toThrow(UsageError);
  });
});

describe('a length of time', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
  ])('reads %s', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each(['15', '0m', '-1h', '1w', ''])('refuses "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow(UsageError);
  });
});
