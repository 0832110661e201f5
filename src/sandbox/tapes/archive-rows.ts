import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import yauzl from 'yauzl';
import { ConfigError } from '../../core/errors.js';
import { symbolPattern } from '../../core/symbol.js';

/** Spot files count in µs from 2025 on, in ms before; no ms time of a trade has so many digits. */
const FIRST_MICROSECOND_TIME = 1e15;

/** The end of a wrong row's story: which file, which line, what is wrong there. */
export function badRow(file: string, line: number, what: string): ConfigError {
  return new ConfigError(`${file}, line ${line}: ${what}`, {
    nextStep: 'Take the file from the archive again, or take it out of the list.',
  });
}

const archiveName = new RegExp(`^(${symbolPattern}?)-([A-Za-z0-9]+)-.+\\.(csv|csv\\.gz|zip)$`, 'u');

/** Symbol and type of a file by its name, such as `BTCUSDT-aggTrades-2024-08-08.csv.gz` or `BTCUSDT-1m-2024-08.zip`. */
export function parseArchiveName(file: string): { readonly symbol: string; readonly type: string } {
  const match = archiveName.exec(basename(file));
  const [, symbol, type] = match ?? [];
  if (symbol === undefined || type === undefined)
    throw new ConfigError(`${file} does not have a name of the exchange's archive`, {
      nextStep: 'Name it like BTCUSDT-aggTrades-2024-08-08.csv (or .csv.gz, or .zip).',
    });
  return { symbol, type };
}

/** Epoch ms of a time in ms or µs; µs are floored. Undefined where it is no time. */
export function parseArchiveTime(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const time = Number(text);
  return time >= FIRST_MICROSECOND_TIME ? Math.floor(time / 1000) : time;
}

/**
 * The rows of a `.csv`, `.csv.gz` or `.zip` file with their line numbers; a header line is left out.
 * @throws ConfigError when the file cannot be read.
 */
export async function* archiveRows(
  file: string,
): AsyncGenerator<{ readonly line: number; readonly row: readonly string[] }> {
  let line = 0;
  try {
    const source = await openText(file);
    const rows = pipeline(source, parse({ bom: true, relax_column_count: true }), () => {
      // The error, if there is one, also ends the loop below.
    });
    for await (const row of rows as AsyncIterable<string[]>) {
      line += 1;
      if (line === 1 && /^[a-z]/i.test(row[0] ?? '')) continue;
      yield { line, row };
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${file} cannot be read after line ${line}: ${(error as Error).message}`, {
      nextStep: 'Check that the file is there, is whole, and may be read.',
      cause: error,
    });
  }
}

async function openText(file: string): Promise<Readable> {
  if (file.endsWith('.zip')) return openZip(file);
  const bytes = createReadStream(file);
  if (!file.endsWith('.gz')) return bytes;
  const text = createGunzip();
  return pipeline(bytes, text, () => {
    // As above: reading from `text` sees the error.
  });
}

/** The one CSV file that an archive of the exchange holds. */
function openZip(file: string): Promise<Readable> {
  return new Promise((resolve, reject) => {
    yauzl.open(file, { lazyEntries: true, autoClose: true }, (openError, zip) => {
      if (openError !== null) {
        reject(openError);
        return;
      }
      zip.on('error', reject);
      zip.on('end', () => reject(new Error('there is no .csv file in it')));
      zip.on('entry', (entry: yauzl.Entry) => {
        if (!entry.fileName.endsWith('.csv')) {
          zip.readEntry();
          return;
        }
        zip.openReadStream(entry, (error, stream) => (error === null ? resolve(stream) : reject(error)));
      });
      zip.readEntry();
    });
  });
}
