import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { JobFailedError } from '../core/errors.js';
import { openArchived, type ArchiveSource } from './binance-archive-source.js';

/** Some rows of a file, in its order. The exchange quotes nothing, so a cell is what stands between two commas. */
export interface ArchiveRows {
  /** The number of the first row's line in the file, from 1; the others follow without a gap. */
  readonly firstLine: number;
  readonly rows: readonly (readonly string[])[];
}

/** A file of the archive whose checksum was right. */
export interface ArchiveFile {
  /** Where it came from, for messages. */
  readonly name: string;
  readonly sha256: string;
  /**
   * All rows without the header that some files have, some hundred at a time; each call begins anew. Only these are in memory.
   * @throws JobFailedError when the zip cannot be read to its end.
   */
  rows(): AsyncGenerator<ArchiveRows>;
  close(): Promise<void>;
}

/** No row has a tenth of it: what has is not a file of rows. */
const longestLine = 10_000;
/** Spot files count in µs from 2025 on, in ms before; no ms time of a trade has so many digits. */
const firstMicrosecondTime = 1e15;
const nextStep =
  'The exchange replaces files now and then: try again, or take file and CHECKSUM of the folder anew.';

/** The path of a day (`2024-08-08`) of a symbol: its aggregate trades, or its one-minute klines. */
export function dailyArchivePath(type: 'aggTrades' | '1m', symbol: string, day: string): string {
  const folder = type === 'aggTrades' ? `aggTrades/${symbol}` : `klines/${symbol}/${type}`;
  return `data/spot/daily/${folder}/${symbol}-${type}-${day}.zip`;
}

/** Epoch ms of a time in ms or µs; µs are floored. Undefined where it is no time. */
export function archiveTimeMs(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const time = Number(text);
  return time >= firstMicrosecondTime ? Math.floor(time / 1000) : time;
}

/**
 * Opens a zip of the archive once its SHA-256 was found to be the one of the `.CHECKSUM` file beside it; undefined where
 * the archive has no such file (yet). Nothing is unpacked to disk. Close it.
 *
 * @throws JobFailedError when the checksum is missing or another one; else what `openArchived` throws.
 * @see https://github.com/binance/binance-public-data
 */
export async function openArchiveFile(
  source: ArchiveSource,
  path: string,
  signal?: AbortSignal,
): Promise<ArchiveFile | undefined> {
  const file = await openArchived(source, path, signal);
  if (file === undefined) return undefined;
  const name = `${source.url}/${path}`;
  try {
    const sha256 = await hashOf(file);
    const wanted = await readChecksum(source, path, signal);
    if (wanted !== sha256)
      throw new JobFailedError(
        wanted === undefined
          ? `${name} has no CHECKSUM file with a SHA-256 beside it`
          : `${name} has the SHA-256 ${sha256}; its CHECKSUM file says ${wanted}`,
        { nextStep },
      );
    return { name, sha256, rows: () => rowsOf(name, file), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function hashOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of file.createReadStream({ start: 0, autoClose: false }))
    hash.update(bytes as Buffer);
  return hash.digest('hex');
}

/** The form of `sha256sum -c`: the hash, two spaces, the name of the file. */
async function readChecksum(
  source: ArchiveSource,
  path: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const file = await openArchived(source, `${path}.CHECKSUM`, signal);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1_000), 0, 1_000, 0);
    return /^[0-9a-f]{64}(?=\s)/i.exec(buffer.toString('utf8', 0, bytesRead))?.[0].toLowerCase();
  } finally {
    await file.close();
  }
}

async function* rowsOf(name: string, file: FileHandle): AsyncGenerator<ArchiveRows> {
  let line = 1;
  let rest = '';
  try {
    const text = await openCsv(file, basename(name).replace(/\.zip$/, '.csv'));
    text.setEncoding('utf8');
    for await (const chunk of text) {
      const lines = `${rest}${String(chunk)}`.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > longestLine) throw new Error('the line has no end');
      yield* withoutHeader(line, lines);
      line += lines.length;
    }
    if (rest !== '') yield* withoutHeader(line, [rest]);
  } catch (error) {
    throw new JobFailedError(`${name} cannot be read at line ${line}: ${(error as Error).message}`, {
      nextStep,
      cause: error,
    });
  }
}

function* withoutHeader(firstLine: number, lines: readonly string[]): Generator<ArchiveRows> {
  const isHeader = firstLine === 1 && /^\uFEFF?[a-z]/i.test(lines[0] ?? '');
  const rows = (isHeader ? lines.slice(1) : lines).map((text) => text.replace(/\r$/, '').split(','));
  if (rows.length > 0) yield { firstLine: isHeader ? 2 : firstLine, rows };
}

async function openCsv(file: FileHandle, name: string): Promise<Readable> {
  const zip = await yauzl.fromFdPromise(file.fd, { lazyEntries: true, autoClose: false });
  for await (const entry of zip.eachEntry())
    if (entry.fileName === name) return zip.openReadStreamPromise(entry);
  throw new Error(`there is no ${name} in it`);
}
