import { describe, expect, it } from 'vitest';
import { ConfigError, UnreachableError } from '../../../src/core/errors.js';
import { Outages } from '../../../src/core/outages.js';
import { backoffMs, msToNextMinute, retryAfterMs, retrying } from '../../../src/core/retry.js';
import { VirtualClock } from '../../support/virtual-clock.js';

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

describe('retrying', () => {
  function world(giveUpAfterMs: number) {
    const clock = new VirtualClock(0);
    const outages = new Outages();
    const lines: string[] = [];
    outages.listen({
      onBegin: ({ reason }) => lines.push(`down: ${reason}`),
      onEnd: ({ since, until }) => lines.push(`back after ${until - since}`),
    });
    const options = { system: 'exchange', clock, outages, giveUpAfterMs, random: () => 1 };
    /** Fails until the time is reached. */
    const until = (ms: number, error: Error) => (): Promise<string> =>
      clock.now() >= ms ? Promise.resolve('done') : Promise.reject(error);
    return { clock, lines, options, until };
  }

  it('goes on for an hour where nothing limits it, and reports the outage twice', async () => {
    const { lines, options, until } = world(Infinity);
    expect(await retrying(until(3_600_000, new UnreachableError('503')), options)).toBe('done');
    expect(lines[0]).toBe('down: 503');
    expect(lines[1]).toMatch(/^back after 3[56]\d{5}$/);
    expect(lines).toHaveLength(2);
  });

  it('gives up with the last error when its time is over', async () => {
    const { clock, options, until } = world(60_000);
    await expect(retrying(until(3_600_000, new UnreachableError('503')), options)).rejects.toThrow('503');
    expect(clock.now()).toBeGreaterThan(40_000);
    expect(clock.now()).toBeLessThanOrEqual(60_000);
  });

  it('waits until the stated time, and not before', async () => {
    const { clock, options } = world(Infinity);
    const calls: number[] = [];
    await retrying(() => {
      calls.push(clock.now());
      return calls.length > 1
        ? Promise.resolve()
        : Promise.reject(new UnreachableError('banned', { retryAt: 1_200_000 }));
    }, options);
    expect(calls).toEqual([0, 1_200_000]);
  });

  it('says nothing of a failure that passes within two seconds', async () => {
    const { lines, options, until } = world(Infinity);
    await retrying(until(700, new UnreachableError('reset')), options);
    expect(lines).toEqual([]);
  });

  it('throws at once what no later call can mend', async () => {
    const { clock, options, until } = world(Infinity);
    await expect(retrying(until(1, new ConfigError('no topic')), options)).rejects.toThrow('no topic');
    const final = new UnreachableError('451', { retryable: false });
    await expect(retrying(until(1, final), options)).rejects.toThrow('451');
    expect(clock.now()).toBe(0);
  });

  it('ends with the reason of its signal', async () => {
    const { options, until } = world(Infinity);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('stopped')), 20);
    await expect(
      retrying(until(Infinity, new UnreachableError('503')), { ...options, signal: stop.signal }),
    ).rejects.toThrow('stopped');
  });
});
