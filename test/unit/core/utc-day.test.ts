import { expect, it } from 'vitest';
import { dayOf, dayText, daysFrom, parseDay } from '../../../src/core/utc-day.js';

it('reads days, and nothing that only looks like one', () => {
  expect(parseDay('2024-08-08')).toBe(Date.UTC(2024, 7, 8));
  for (const text of ['2024-02-30', '2024-8-8', '2024-08-08T00:00', 'yesterday', ''])
    expect(parseDay(text)).toBeUndefined();
});

it('cuts days in UTC', () => {
  expect(dayText(dayOf(Date.UTC(2024, 7, 8, 23, 59, 59, 999)))).toBe('2024-08-08');
  expect(dayOf(Date.UTC(2024, 7, 9))).toBe(Date.UTC(2024, 7, 9));
});

it('counts from one day to another, both included', () => {
  const days = daysFrom(Date.UTC(2024, 1, 28), Date.UTC(2024, 2, 1)).map(dayText);
  expect(days).toEqual(['2024-02-28', '2024-02-29', '2024-03-01']);
  expect(daysFrom(Date.UTC(2024, 1, 28), Date.UTC(2024, 1, 27))).toEqual([]);
});
