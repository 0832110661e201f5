import { describe, expect, it } from 'vitest';
import { recentStarts } from '../../../src/core/driver-starts.js';

const start = (lines: string): string =>
  `Launch Command: "/usr/bin/java" "-cp" "…"\n${'='.repeat(40)}\n\n${lines}\n`;
const tenMinutes = 600_000;

describe('the starts of a driver in its stderr', () => {
  it('are counted back from the last one, by the times that stand behind them', () => {
    const log = [
      start('2026-11-23 20:00:00,000 INFO SparkContext: Running'),
      start('2026-11-23 21:15:00,000 INFO SparkContext: Running'),
      start('java.lang.Error\n2026-11-23 21:20:59,999 INFO x'),
    ].join('');
    expect(recentStarts(log, tenMinutes)).toBe(2);
    expect(recentStarts(log, 7_200_000)).toBe(3);
  });

  it('are understood as Spark writes them without a configuration of ours', () => {
    const log = start('26/11/23 21:15:00 INFO x') + start('26/11/23 21:25:01 INFO x');
    expect(recentStarts(log, tenMinutes)).toBe(1);
  });

  it('count as quick where nothing stands behind them', () => {
    expect(recentStarts(start('').repeat(6), tenMinutes)).toBe(6);
  });

  it('are not counted where the log was cut off before them', () => {
    expect(recentStarts('…tail of one\n2026-11-23 21:15:00,000 INFO x\n', tenMinutes)).toBe(0);
  });
});
