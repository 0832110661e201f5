import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The folder of the recorded market data; tests that need it are skipped, and say so, where it is missing. */
export const marketDataFolder = resolve(process.env['CRYPTOPIPE_MARKET_DATA'] ?? '../shared/market-data');
export const hasMarketData = existsSync(marketDataFolder);
export const withoutMarketData = `no recorded market data at ${marketDataFolder}; set CRYPTOPIPE_MARKET_DATA`;

/** The cells of a recorded CSV file, plain or gzipped, without the line of names where it has one. */
export function readRecordedCsv(path: string): string[][] {
  const bytes = readFileSync(resolve(marketDataFolder, path));
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(','));
  return rows[0]?.[0] !== undefined && /^\d+$/.test(rows[0][0]) ? rows : rows.slice(1);
}
