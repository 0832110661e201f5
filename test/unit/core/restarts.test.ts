import { expect, it } from 'vitest';
import { isWaiting, restartsText } from '../../../src/core/restarts.js';

const now = Date.parse('2026-11-27T12:00:00Z');
const crashed = (count: number, at: string) => ({
  name: 'produce',
  restarts: { count, cause: 'signal SIGKILL', at },
});

it('says nothing of a command that never crashed', () => {
  expect(restartsText({ name: 'produce' }, now)).toBeUndefined();
});

it('says how often and when a command was started again, and after what', () => {
  expect(restartsText(crashed(1, '2026-11-27T11:59:50.000Z'), now)).toBe(
    'produce crashed once and was started again, last 10 s ago after signal SIGKILL',
  );
  expect(restartsText(crashed(3, '2026-11-27T10:00:00.000Z'), now)).toBe(
    'produce crashed 3 times and was started again, last 2 h ago after signal SIGKILL',
  );
});

it('says how long a command still waits', () => {
  const waits = crashed(3, '2026-11-27T12:00:08.000Z');
  expect(restartsText(waits, now)).toBe(
    'produce waits 8 s to start again: it crashed 3 times, last with signal SIGKILL',
  );
  expect([now, now + 8000].map((time) => isWaiting(waits.restarts, time))).toEqual([true, false]);
});
