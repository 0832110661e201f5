import { ConfigError } from '../core/errors.js';
import { parseAmount, UNITS_PER_ONE } from './amounts.js';
import { intervalNamed, type Interval } from './intervals.js';
import type { SandboxKline } from './klines.js';
import { archiveRows, badRow, parseArchiveName, parseArchiveTime } from './tapes/archive-rows.js';

/** Published klines by symbol, interval and open time. */
export type PublishedKlines = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<number, SandboxKline>>>;

const COLUMNS = 12;

/**
 * Reads files of klines in archive format.
 * @throws ConfigError that names file and line of what is wrong.
 */
export async function readKlineFiles(files: readonly string[]): Promise<PublishedKlines> {
  const bySymbol = new Map<string, Map<string, Map<number, SandboxKline>>>();
  for (const file of files) {
    const { symbol, type } = parseArchiveName(file);
    const interval = intervalNamed(type === '1mo' ? '1M' : type);
    if (interval === undefined)
      throw new ConfigError(`${file} is not a file of klines: ${type} is not an interval`, {
        nextStep: 'Name it like BTCUSDT-1m-2024-08-08.csv.',
      });
    const byInterval = bySymbol.get(symbol) ?? new Map<string, Map<number, SandboxKline>>();
    const klines = byInterval.get(interval.name) ?? new Map<number, SandboxKline>();
    for await (const { line, row } of archiveRows(file)) {
      const kline = parseKlineRow(row, interval);
      if (kline === undefined) throw badRow(file, line, `not a kline of ${interval.name}: ${row.join(',')}`);
      klines.set(kline.openTime, kline);
    }
    bySymbol.set(symbol, byInterval.set(interval.name, klines));
  }
  return bySymbol;
}

function parseKlineRow(row: readonly string[], interval: Interval): SandboxKline | undefined {
  const openTime = parseArchiveTime(row[0] ?? '');
  const [open, high, low, close, volume, quote, takerVolume, takerQuote] = [1, 2, 3, 4, 5, 7, 9, 10].map(
    (column) => parseAmount(row[column] ?? ''),
  );
  const count = /^\d{1,15}$/.test(row[8] ?? '') ? Number(row[8]) : undefined;
  if (row.length !== COLUMNS || openTime === undefined || interval.openOf(openTime) !== openTime)
    return undefined;
  if (open === undefined || high === undefined || low === undefined || close === undefined) return undefined;
  if (volume === undefined || quote === undefined || count === undefined) return undefined;
  if (takerVolume === undefined || takerQuote === undefined) return undefined;
  return {
    openTime,
    end: interval.nextOpen(openTime),
    ...{ open, high, low, close, volume, count, takerVolume },
    quoteVolume: quote * UNITS_PER_ONE,
    takerQuoteVolume: takerQuote * UNITS_PER_ONE,
  };
}
