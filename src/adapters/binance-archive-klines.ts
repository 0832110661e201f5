import { JobFailedError } from '../core/errors.js';
import type { Kline, KlineArchive } from '../core/ports/exchange.js';
import { dayAfter, dayText } from '../core/utc-day.js';
import { archiveTimeMs, dailyArchivePath, openArchiveFile } from './binance-archive-file.js';
import type { ArchiveSource } from './binance-archive-source.js';

const minuteMs = 60_000;
const columns = 12;
const decimal = /^\d{1,30}(\.\d{1,18})?$/;
const amountColumns = [1, 2, 3, 4, 5, 7, 9, 10];

/** Binance's daily files of one-minute klines; each is read whole, as it has at most 1,440 rows. */
export function binanceArchiveKlines(source: ArchiveSource): KlineArchive {
  return {
    klinesOfDay: async (symbol, day, signal) => {
      const path = dailyArchivePath('1m', symbol, dayText(day));
      const file = await openArchiveFile(source, path, signal);
      if (file === undefined) return undefined;
      try {
        const klines: Kline[] = [];
        for await (const { firstLine, rows } of file.rows())
          for (const [index, row] of rows.entries()) {
            const kline = toKline(row, day);
            if (kline === undefined || kline.openTime <= (klines.at(-1)?.openTime ?? -1))
              throw notAKline(file.name, firstLine + index, row);
            klines.push(kline);
          }
        return klines;
      } finally {
        await file.close();
      }
    },
  };
}

function toKline(row: readonly string[], day: number): Kline | undefined {
  const openTime = archiveTimeMs(row[0] ?? '');
  const isOfDay =
    openTime !== undefined && openTime >= day && openTime < dayAfter(day) && openTime % minuteMs === 0;
  const isWhole = row.length === columns && amountColumns.every((column) => decimal.test(row[column] ?? ''));
  if (!isOfDay || !isWhole || !/^\d{1,15}$/.test(row[8] ?? '')) return undefined;
  const amount = (column: number): string => row[column] ?? '';
  return {
    openTime,
    open: amount(1),
    high: amount(2),
    low: amount(3),
    close: amount(4),
    volume: amount(5),
    quoteVolume: amount(7),
    tradeCount: Number(row[8]),
    takerBuyVolume: amount(9),
    takerBuyQuoteVolume: amount(10),
  };
}

const notAKline = (file: string, line: number, row: readonly string[]): JobFailedError =>
  new JobFailedError(
    `${file}, line ${line}, is not the next one-minute kline of its day: ${row.join(',').slice(0, 200)}`,
    { nextStep: 'Compare with --against rest, or take the file from the archive anew.' },
  );
