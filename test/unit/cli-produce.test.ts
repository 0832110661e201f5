import { expect, it } from 'vitest';
import { progressIntervalMs } from '../../src/cli/produce-print.js';

it('shows progress often on a terminal, less often elsewhere, and once a minute in the background', () => {
  const interval = (isTerminal: boolean, json: boolean, background?: boolean): number =>
    progressIntervalMs({ isTerminal }, { json, ...(background === undefined ? {} : { background }) });
  expect(interval(true, false)).toBe(500);
  expect(interval(true, true)).toBe(5000);
  expect(interval(false, false)).toBe(5000);
  expect(interval(false, false, true)).toBe(60_000);
});
