import { describe, expect, it } from 'vitest';
import { chaosFault, chaosPause } from '../../../src/sandbox/chaos.js';
import { kindOf } from '../../../src/sandbox/fault.js';

const faults = (seed: string, count: number): ReturnType<typeof chaosFault>[] =>
  Array.from({ length: count }, (_, index) => chaosFault(seed, index));

describe('chaos', () => {
  it('is the same for the same seed and another one for another', () => {
    expect(faults('1', 33)).toEqual(faults('1', 33));
    expect(faults('1', 33)).not.toEqual(faults('2', 33));
  });

  it('has every kind once in each round, in another order', () => {
    const all = faults('1', 33).map(kindOf);
    const rounds = [all.slice(0, 11), all.slice(11, 22), all.slice(22)];
    for (const round of rounds) expect(new Set(round).size).toBe(11);
    expect(rounds[0]).not.toEqual(rounds[1]);
    expect([...rounds[0]!].sort()).toEqual([
      ...['close 1001', 'close 1006', 'close 1008', 'cut', 'double', 'drop'],
      ...['outage 503', 'outage drop', 'reorder', 'shutdown', 'silence'],
    ]);
  });

  it('comes at the mean rate, half to one and a half of the mean apart', () => {
    const pauses = Array.from({ length: 600 }, (_, index) =>
      chaosPause({ seed: '1', faultsPerMinute: 6 }, index),
    );
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(5_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(15_000);
    expect(pauses.reduce((sum, pause) => sum + pause, 0) / 600 / 10_000).toBeCloseTo(1, 1);
  });
});
