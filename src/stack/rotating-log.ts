import { appendFileSync, closeSync, existsSync, fstatSync, openSync, renameSync } from 'node:fs';
import type { Readable } from 'node:stream';

export interface RotatingLog {
  /** Appends whole lines. Never throws: what cannot be written is left out, and counted in the log afterwards. */
  write(lines: Buffer): void;
}

/** A line that is longer than this is written in pieces, bytes. */
const longestLineBytes = 64 * 1024;
const lineEnd = '\n'.charCodeAt(0);

/** `x.log` becomes `x.log.1`, which becomes `x.log.2`, and so on; the last of `kept` is overwritten. */
export function shiftLogs(path: string, kept: number): void {
  const nameOf = (index: number): string => (index === 0 ? path : `${path}.${index}`);
  for (let index = kept; index > 0; index--)
    if (existsSync(nameOf(index - 1))) renameSync(nameOf(index - 1), nameOf(index));
}

/** A log of at most `maxBytes`, with `kept` former ones beside it; only one process may write it. */
export function createRotatingLog(
  path: string,
  { maxBytes, kept }: { readonly maxBytes: number; readonly kept: number },
): RotatingLog {
  let file: { readonly descriptor: number; size: number } | undefined;
  let lostBytes = 0;
  const opened = () => {
    const descriptor = openSync(path, 'a', 0o600);
    return { descriptor, size: fstatSync(descriptor).size };
  };
  const rotate = (): void => {
    shiftLogs(path, kept);
    if (file !== undefined) closeSync(file.descriptor);
    file = undefined;
  };
  const append = (lines: Buffer): void => {
    file ??= opened();
    if (file.size > 0 && file.size + lines.length > maxBytes) rotate();
    file ??= opened();
    appendFileSync(file.descriptor, lines);
    file.size += lines.length;
  };
  return {
    write: (lines) => {
      try {
        if (lostBytes > 0) append(Buffer.from(`\n(${lostBytes} bytes of this log could not be written)\n`));
        lostBytes = 0;
        append(lines);
      } catch {
        lostBytes += lines.length; // A full disk ends neither a program nor its supervisor.
      }
    },
  };
}

/** Hands on what `stream` brings as whole lines, so that two streams in one log do not cut each other's. */
export function copyLines(stream: Readable, log: RotatingLog): void {
  let rest = Buffer.alloc(0);
  const flush = (): void => {
    if (rest.length > 0) log.write(Buffer.concat([rest, Buffer.of(lineEnd)]));
    rest = Buffer.alloc(0);
  };
  stream.on('data', (chunk: Buffer) => {
    const all = Buffer.concat([rest, chunk]);
    const end = all.lastIndexOf(lineEnd) + 1;
    if (end > 0) log.write(all.subarray(0, end));
    rest = all.subarray(end);
    if (rest.length > longestLineBytes) flush();
  });
  // Without a listener an error would end the supervisor; a stream that fails is closed.
  stream.on('error', () => undefined);
  stream.once('close', flush);
}
