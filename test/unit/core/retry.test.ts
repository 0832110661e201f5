import { describe, expect, it } from 'vitest';
import { backoffMs, msToNextMinute, retryAfterMs } from '../../../src/core/retry.js';

describe('backoffMs', () => {
  it('doubles from a quarter second, and stops growing at 15 s', () => {
    expect([0, 1, 2, 3, 10, 10_000].map((attempt) => backoffMs(attempt, 1))).toEqual([
      250, 500, 1000, 2000, 15_000, 15_000,
    ]);
  });

  it('leaves the upper half to chance', () => {
    expect([backoffMs(2, 0), backoffMs(2, 0.5), backoffMs(2, 0.999)]).toEqual([500, 750, 1000]);
  });
});

describe('retryAfterMs', () => {
  const now = Date.parse('2026-11-23T12:00:00Z');

  it('reads seconds and dates', () => {
    expect(retryAfterMs('7', now)).toBe(7000);
    expect(retryAfterMs('0', now)).toBe(0);
    expect(retryAfterMs('Mon, 23 Nov 2026 12:00:09 GMT', now)).toBe(9000);
    expect(retryAfterMs('Mon, 23 Nov 2026 11:00:00 GMT', now)).toBe(0);
  });

  it('says nothing where the header does not', () => {
    expect(retryAfterMs(null, now)).toBeUndefined();
    expect(retryAfterMs('soon', now)).toBeUndefined();
  });
});

it('knows how far the next minute is', () => {
  expect(msToNextMinute(Date.parse('2026-11-23T12:00:58.500Z'))).toBe(1500);
  expect(msToNextMinute(Date.parse('2026-11-23T12:00:00Z'))).toBe(60_000);
});
