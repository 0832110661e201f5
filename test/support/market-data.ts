import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe } from 'vitest';

const folder = resolve(process.env['CRYPTOPIPE_MARKET_DATA'] ?? '../shared/market-data');
const isThere = existsSync(join(folder, 'README.md'));

/** The path of a recorded file. */
export const recorded = (...parts: readonly string[]): string => join(folder, ...parts);

/** Like `describe`; without the recorded data the tests are skipped and their title says why. */
export function describeRecorded(title: string, tests: () => void): void {
  if (isThere) describe(title, tests);
  else
    describe.skip(
      `${title} (skipped: no recorded market data at ${folder}; set CRYPTOPIPE_MARKET_DATA)`,
      tests,
    );
}

/** The cells of a recorded CSV file, plain or gzipped, without the line of names where it has one. */
export function readRecordedCsv(path: string): string[][] {
  const bytes = readFileSync(recorded(path));
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(','));
  return rows[0]?.[0] !== undefined && /^\d+$/.test(rows[0][0]) ? rows : rows.slice(1);
}
