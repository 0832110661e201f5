import { describe, expect, it } from 'vitest';
import { describeStartup } from '../../../src/stack/name-node.js';

const phase = (desc: string, status: string, ...steps: [number, number][]) => ({
  ...{ name: desc, desc, status, percentComplete: 0, elapsedTime: 1 },
  steps: steps.map(([count, total]) => ({ count, total, percentComplete: 0, elapsedTime: 1 })),
});

describe('the progress of a NameNode', () => {
  it('is the phase that runs with what it has done', () => {
    const phases = [
      phase('Loading fsimage', 'COMPLETE', [5, 5]),
      phase('Loading edits', 'RUNNING', [1000, 1000], [34, 2000]),
      phase('Safe mode', 'PENDING'),
    ];
    expect(describeStartup({ elapsedTime: 1, percentComplete: 0.3, phases })).toBe(
      'Loading edits, 1034 of 3000',
    );
  });

  it('does not change any more when the start is complete', () => {
    expect(describeStartup({ phases: [phase('Safe mode', 'COMPLETE', [3, 3])] })).toBe('complete');
  });
});
