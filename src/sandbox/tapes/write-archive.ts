import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ConfigError } from '../../core/errors.js';
import type { TapeFileOptions, WrittenTape } from '../../core/ports/sandbox.js';
import { archiveLine } from '../archive/archive-lines.js';
import { parseArchiveName } from './archive-rows.js';
import { GeneratedTape } from './generated.js';
import { trade } from './tape.js';

const ROWS_AT_ONCE = 5_000;

/** Writes the first trades of a generated tape as the exchange's archive would; memory does not grow with them. */
export async function writeTape(options: TapeFileOptions): Promise<WrittenTape> {
  const { file, signal } = options;
  const { symbol, type } = parseArchiveName(file);
  if (symbol !== options.symbol || type !== 'aggTrades' || file.endsWith('.zip'))
    throw new ConfigError(`${file} is not a name for a tape of ${options.symbol}`, {
      nextStep: `Name it ${options.symbol}-aggTrades-….csv or .csv.gz, so that --tape takes it.`,
    });
  const tape = new GeneratedTape(options);
  let written = tape.begin;
  function* rows(): Generator<string> {
    const end = tape.begin + options.trades;
    while (written < end && !signal.aborted) {
      const trades = tape.trades(written, Math.min(end, written + ROWS_AT_ONCE));
      yield trades.map((row) => archiveLine(row, 1)).join('');
      written += trades.length;
    }
  }
  await save(rows(), file);
  return summary(tape, file, written);
}

async function save(rows: Iterable<string>, file: string): Promise<void> {
  try {
    if (file.endsWith('.gz')) await pipeline(rows, createGzip({ level: 1 }), createWriteStream(file));
    else await pipeline(rows, createWriteStream(file));
  } catch (error) {
    throw new ConfigError(`${file} cannot be written: ${(error as Error).message}`, {
      nextStep: 'Check that the folder is there, may be written, and has room.',
      cause: error,
    });
  }
}

function summary(tape: GeneratedTape, file: string, end: number): WrittenTape {
  const [first, last] = [trade(tape, tape.begin), trade(tape, end - 1)];
  return {
    file,
    trades: end - tape.begin,
    firstId: first?.id ?? 0,
    lastId: last?.id ?? 0,
    firstTime: first?.time ?? 0,
    lastTime: last?.time ?? 0,
  };
}
