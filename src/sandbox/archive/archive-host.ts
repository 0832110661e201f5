import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import type { ArchiveChoice } from '../../core/ports/sandbox.js';
import type { Market } from '../answers.js';
import { archiveLines, DAY_MS } from './archive-lines.js';
import { parseArchivePath, type ArchivePath } from './archive-path.js';

/** A file that was packed: where it lies, and what it hashes to. */
interface PackedFile {
  readonly file: string;
  readonly sha256: string;
}

/** What a path of the archive holds: a file on disk, or a text. */
export type ArchiveAnswer = { readonly file: string } | { readonly text: string };

/**
 * The daily files of a market's tape. Each is packed into a temporary folder when it is first asked for, whether by
 * its own name or by that of its checksum, and stays as it is until `close`.
 */
export class ArchiveHost {
  private readonly packed = new Map<string, Promise<PackedFile>>();
  private readonly stop = new AbortController();
  private folder: Promise<string> | undefined;

  constructor(
    private readonly market: Market,
    private readonly choice: ArchiveChoice,
  ) {}

  /** Undefined where there is no such file: no such symbol, no trades on that day, or a day that is not over. */
  async find(path: string): Promise<ArchiveAnswer | undefined> {
    const wanted = parseArchivePath(path);
    if (wanted === undefined) return undefined;
    const until = this.untilOf(wanted);
    if (until === undefined) return undefined;
    const isOver = until === wanted.day + DAY_MS;
    const key = isOver ? wanted.name : `${wanted.name}.begun`;
    const { file, sha256 } = await this.packedOnce(wanted, { until, key });
    return wanted.isChecksum ? { text: `${sha256}  ${wanted.name}.zip\n` } : { file };
  }

  private packedOnce(
    path: ArchivePath,
    { until, key }: { readonly until: number; readonly key: string },
  ): Promise<PackedFile> {
    const known = this.packed.get(key);
    if (known !== undefined) return known;
    const packing = this.pack(path, { until, key });
    this.packed.set(key, packing);
    // Who asked sees the error; who asks next has it tried again.
    packing.catch(() => this.packed.delete(key));
    return packing;
  }

  /** Removes what was packed; the files must not be read any more. */
  async close(): Promise<void> {
    this.stop.abort();
    await Promise.allSettled(this.packed.values());
    if (this.folder !== undefined) await rm(await this.folder, { recursive: true, force: true });
  }

  /** Where a day's file ends (epoch ms): at its midnight, or now for a day that has begun. */
  private untilOf({ symbol, day }: ArchivePath): number | undefined {
    const tape = this.market.tape.get(symbol);
    const now = this.market.clock.now();
    const isOver = day + DAY_MS <= now;
    if (tape === undefined || (!isOver && !this.choice.hasToday)) return undefined;
    const until = isOver ? day + DAY_MS : now;
    return tape.positionAt(day) < tape.positionAt(until) ? until : undefined;
  }

  private async pack(
    path: ArchivePath,
    { until, key }: { readonly until: number; readonly key: string },
  ): Promise<PackedFile> {
    this.folder ??= mkdtemp(join(tmpdir(), 'cryptopipe-archive-'));
    const file = join(await this.folder, `${key}.zip`);
    const lines = archiveLines(path, this.market, { until, holesPerDay: this.choice.holesPerDay });
    const zip = new yazl.ZipFile();
    const failed = new AbortController();
    zip.on('error', (error) => failed.abort(error));
    const hash = createHash('sha256');
    zip.addReadStream(Readable.from(lines), `${path.name}.csv`, { mtime: new Date(path.day + DAY_MS) });
    zip.end();
    const hashed = async function* (parts: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer | string> {
      for await (const part of parts) {
        hash.update(part);
        yield part;
      }
    };
    await pipeline(zip.outputStream, hashed, createWriteStream(file), {
      signal: AbortSignal.any([this.stop.signal, failed.signal]),
    });
    return { file, sha256: hash.digest('hex') };
  }
}
