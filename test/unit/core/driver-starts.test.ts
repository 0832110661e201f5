import { describe, expect, it } from 'vitest';
import { shortLivedStarts } from '../../../src/core/driver-starts.js';

const start = (...lines: readonly string[]): string =>
  `Launch Command: "/usr/bin/java" "-cp" "…"\n${'='.repeat(40)}\n\n${lines.join('\n')}\n`;
const minute = 60_000;
const brief = start(
  '2026-11-23 20:00:00,000 INFO SparkContext: Running',
  '2026-11-23 20:00:59,999 ERROR SparkContext: x',
);
const long = start('2026-11-23 20:00:00,000 INFO SparkContext: Running', '2026-11-23 20:01:00,000 INFO x');

describe('the starts of a driver in its stderr', () => {
  it('are counted back to the last one that lived long enough', () => {
    expect(shortLivedStarts(brief + long + brief + brief, minute)).toBe(2);
    expect(shortLivedStarts(brief + brief + brief + brief, minute)).toBe(4);
    expect(shortLivedStarts(brief + brief + long, minute)).toBe(0);
    expect(shortLivedStarts(brief + long + brief, 2 * minute)).toBe(3);
  });

  it('count however long Spark waited between them', () => {
    const times = ['20:00:05', '20:08:37', '20:25:41', '20:59:49', '22:08:05'];
    const log = times.map((time) => start(`2026-11-23 ${time},000 INFO x`, 'java.lang.Error')).join('');
    expect(shortLivedStarts(log, minute)).toBe(5);
  });

  it('are understood as Spark writes them without a configuration of ours', () => {
    const log =
      start('26/11/23 21:15:00 INFO x', '26/11/23 21:25:01 INFO x') + start('26/11/23 21:25:02 INFO x');
    expect(shortLivedStarts(log, minute)).toBe(1);
  });

  it('count as short where nothing stands behind them', () => {
    expect(shortLivedStarts(start('').repeat(6), minute)).toBe(6);
  });

  it('are not counted where the log was cut off before them', () => {
    expect(shortLivedStarts('…tail of one\n2026-11-23 21:15:00,000 INFO x\n', minute)).toBe(0);
  });
});
