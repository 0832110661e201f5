import { describe, expect, it } from 'vitest';
import { driverMeanings, meaningOf } from '../../../src/core/driver-state.js';

describe('the meaning of a driver state', () => {
  it('is one for each of Spark’s states, and for an id that the master does not know', () => {
    const table = Object.entries(driverMeanings).map(([state, { isFinal, isSuccess, runState }]) => [
      state,
      isFinal,
      isSuccess,
      runState,
    ]);
    expect(table).toEqual([
      ['SUBMITTED', false, false, undefined],
      ['RUNNING', false, false, undefined],
      ['RELAUNCHING', false, false, undefined],
      ['UNKNOWN', false, false, undefined],
      ['FINISHED', true, true, 'FINISHED'],
      ['FAILED', true, false, 'FAILED'],
      ['ERROR', true, false, 'FAILED'],
      ['KILLED', true, false, 'KILLED'],
      ['GONE', true, false, 'LOST'],
    ]);
  });

  it('of an id that the master does not know is that it is gone, not that it failed', () => {
    expect(meaningOf(undefined)).toMatchObject({ isFinal: true, runState: 'LOST' });
  });

  it('of a word that a later Spark brings is that the driver lives', () => {
    expect(meaningOf('HIBERNATING')).toMatchObject({ isFinal: false, runState: undefined });
  });
});
