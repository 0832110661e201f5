import { describe, expect, it } from 'vitest';
import { createRestartDelays, isCrash, programEnd } from '../../../src/stack/restart-policy.js';

describe('the end of a program', () => {
  it('has the exit code that a shell would report, and words', () => {
    expect(programEnd(4, null)).toEqual({ exitCode: 4, cause: 'exit code 4' });
    expect(programEnd(null, 'SIGKILL')).toEqual({ exitCode: 137, cause: 'signal SIGKILL' });
    expect(programEnd(null, 'SIGSEGV')).toEqual({ exitCode: 139, cause: 'signal SIGSEGV' });
  });

  it.each([0, 2, 3, 5, 130])('with exit code %d would be the same another time', (exitCode) => {
    expect(isCrash({ exitCode })).toBe(false);
  });

  it.each([1, 4, 7, 134])('with exit code %d is a crash, or an outage', (exitCode) => {
    expect(isCrash({ exitCode })).toBe(true);
  });

  it('by a signal is a crash, but for Ctrl-C', () => {
    const signals = ['SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGTERM', 'SIGINT'] as const;
    expect(signals.map((signal) => isCrash(programEnd(null, signal)))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });
});

describe('the wait before a restart', () => {
  const most = (): ((ranMs: number) => number) => createRestartDelays(() => 1);

  it('doubles from 1 s to 60 s', () => {
    const delay = most();
    const waits = Array.from({ length: 9 }, () => delay(100));
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('begins anew after five minutes without a crash', () => {
    const delay = most();
    expect([0, 0, 0, 299_999, 300_000, 0].map(delay)).toEqual([1000, 2000, 4000, 8000, 1000, 2000]);
  });

  it('is left to chance by half', () => {
    const draws = [0, 0.5, 0.999];
    const delay = createRestartDelays(() => draws.shift() ?? 0);
    expect([delay(0), delay(0), delay(0)]).toEqual([500, 1500, 3998]);
  });
});
