import { JobFailedError } from '../core/errors.js';
import type { TradeArchive } from '../core/ports/archive.js';
import { unreadableRow, type TradeRow } from '../core/trade-row.js';
import { parseAggTrade, type TradeReading } from '../core/trade.js';
import { dayText } from '../core/utc-day.js';
import {
  archiveTimeMs,
  dailyArchivePath,
  openArchiveFile,
  type ArchiveFile,
} from './binance-archive-file.js';
import type { ArchiveSource } from './binance-archive-source.js';

/** Binance's spot archive of aggregate trades: one zip a symbol and day, from its host or from a folder with the same tree. */
export function archiveTrades(source: ArchiveSource): TradeArchive {
  return {
    openDay: async (symbol, day, signal) => {
      const file = await openTwice(source, dailyArchivePath('aggTrades', symbol, dayText(day)), signal);
      if (file === undefined) return undefined;
      return { name: file.name, rows: () => rowsOf(file, symbol), close: () => file.close() };
    },
  };
}

/** A file that is just being replaced has for a moment the checksum of the other one. */
async function openTwice(
  source: ArchiveSource,
  path: string,
  signal?: AbortSignal,
): Promise<ArchiveFile | undefined> {
  try {
    return await openArchiveFile(source, path, signal);
  } catch (error) {
    if (!(error instanceof JobFailedError)) throw error;
    return openArchiveFile(source, path, signal);
  }
}

/** So many successive rows that cannot be read are another form of file, not faults of rows. */
const mostUnreadable = 100;

async function* rowsOf(file: ArchiveFile, symbol: string): AsyncGenerator<TradeRow[]> {
  let unreadable = 0;
  for await (const { firstLine, rows } of file.rows())
    yield rows.map((cells, index) => {
      const { tick, reason } = parseArchivedTrade(symbol, cells);
      unreadable = tick === undefined ? unreadable + 1 : 0;
      if (tick !== undefined) return { id: tick.aggTradeId, tick };
      if (unreadable < mostUnreadable) {
        const where = `line ${firstLine + index} of ${file.name}`;
        return unreadableRow(wholeNumber(cells[0] ?? ''), `${where}: ${reason}`, cells.join(','));
      }
      throw new JobFailedError(
        `${file.name}: the ${mostUnreadable} rows up to line ${firstLine + index} are no trades: ${reason}`,
        {
          nextStep:
            'The checksum is right, so the file was published like this: take the day from the exchange, `produce --from`.',
        },
      );
    });
}

/**
 * Reads a row of the spot archive: aggregate id, price, quantity, first and last trade id, time (ms, from 2025 on µs), whether
 * the buyer was maker, whether it was the best match (ignored; some files leave it out). Total.
 *
 * @see https://github.com/binance/binance-public-data#aggtrades
 */
function parseArchivedTrade(symbol: string, cells: readonly string[]): TradeReading {
  if (cells.length < 7 || cells.length > 8) return { reason: `it has ${cells.length} columns, not 8` };
  const [id = '', price, quantity, firstId = '', lastId = '', time = '', buyerIsMaker = ''] = cells;
  return parseAggTrade(symbol, {
    a: wholeNumber(id),
    p: price,
    q: quantity,
    f: wholeNumber(firstId),
    l: wholeNumber(lastId),
    T: archiveTimeMs(time),
    m: truth.get(buyerIsMaker),
  });
}

/** Capitalised in the files of today. */
const truth = new Map([
  ['True', true],
  ['true', true],
  ['False', false],
  ['false', false],
]);

const wholeNumber = (text: string): number | undefined =>
  /^-?\d{1,16}$/.test(text) ? Number(text) : undefined;
