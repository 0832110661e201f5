import { describe, expect, it } from 'vitest';
import { misfits } from '../../../src/core/fits-workers.js';

const resources = { driverCores: 1, driverMemory: '1g', executorCores: 2, executorMemory: '1g', coresMax: 2 };
const messages = (...call: Parameters<typeof misfits>): string[] =>
  misfits(...call).map(({ message }) => message);

describe('a job on the workers of a master', () => {
  it('that has room for its driver and one executor is well, on one worker or on two', () => {
    expect(messages(resources, [{ cores: 3, memoryMb: 2048 }])).toEqual([]);
    expect(
      messages(resources, [
        { cores: 1, memoryMb: 1024 },
        { cores: 2, memoryMb: 1024 },
      ]),
    ).toEqual([]);
  });

  it('that asks for more than the largest has is told what is too much', () => {
    const greedy = { ...resources, driverMemory: '64g', executorCores: 128 };
    expect(
      messages(greedy, [
        { cores: 4, memoryMb: 6144 },
        { cores: 8, memoryMb: 1024 },
      ]),
    ).toEqual([
      'driver_memory 64g: the largest worker has 6144 MiB',
      'executor_cores 128: the largest worker has 8 cores',
    ]);
  });

  it('whose parts fit alone and not together would wait for ever', () => {
    expect(messages(resources, [{ cores: 2, memoryMb: 4096 }])).toEqual([
      'driver (1 cores, 1g) and one executor (2 cores, 1g) have no room beside each other on any workers',
    ]);
  });

  it('without a living worker has no place at all', () => {
    expect(messages(resources, [])).toEqual(['the master has no living worker']);
  });
});
