import { describe, expect, it } from 'vitest';
import { findingsOf, proofOf, type BarEvidenceSummary } from '../../../src/core/bar-proof.js';

const bar = (values: Partial<BarEvidenceSummary>) =>
  proofOf({ source: 'binance-spot', isFinal: true, minutes: 1, verdicts: {}, ...values });

describe('the proof of a bar', () => {
  it('is the word of verify, else that of its ids', () => {
    expect(bar({})).toBe('final');
    expect(bar({ isFinal: false })).toBe('open');
    expect(bar({ verdicts: { equal: 1 } })).toBe('verified');
    expect(bar({ verdicts: { 'equal (quote cut)': 1 } })).toBe('verified');
    expect(bar({ verdicts: { edge: 1 } })).toBe('final');
    expect(bar({ verdicts: { hole: 1 } })).toBe('final');
  });

  it('of a longer bar needs every minute', () => {
    expect(bar({ minutes: 5, verdicts: { equal: 4 } })).toBe('final');
    expect(bar({ minutes: 5, verdicts: { equal: 4, quiet: 1 } })).toBe('verified');
    expect(bar({ minutes: 5, verdicts: { equal: 5 }, isFinal: false })).toBe('open');
  });

  it('is a difference wherever there is one, and sample for what nobody has traded', () => {
    expect(bar({ minutes: 5, verdicts: { equal: 4, different: 1 } })).toBe('different');
    expect(bar({ isFinal: false, verdicts: { 'raw gap': 1 } })).toBe('different');
    expect(bar({ source: 'sample', verdicts: { equal: 1 } })).toBe('sample');
  });

  it('says what is wrong', () => {
    expect(findingsOf({ different: 1, hole: 2, equal: 3 }, ['close', 'volume'])).toEqual([
      'different: close, volume',
      'hole',
    ]);
    expect(findingsOf({ equal: 1 }, [])).toEqual([]);
  });
});
