import Table from 'cli-table3';
import { printable } from '../core/printable.js';
import type { Io } from './io.js';

/** One JSON document (or one object of a stream) on a line of stdout; bigint and Date become text. */
export function printJson(io: Io, value: unknown): void {
  io.out(
    `${JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner))}\n`,
  );
}

/** A row for each line of its cells: it looks the same, and the library's time grows with the cube of the lines of a cell. */
function linesOf(row: readonly string[]): string[][] {
  const cells = row.map((cell) => cell.split(/\r?\n/));
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) => cells.map((lines) => lines[line] ?? ''));
}

/** A table for people; numbers should come as text that is already formatted. */
export function printTable(io: Io, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = new Table({
    // By our own rule: the library's colors follow the environment, not the stream.
    head: head.map((name) => (io.useColor ? `\u001b[36m${name}\u001b[39m` : name)),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.flatMap((row) => linesOf(row.map(printable))));
  io.out(`${table.toString()}\n`, io.useColor ? 'styled' : undefined);
}

/** Rows as RFC 4180 wants them; NULL is an empty field, which an empty text in quotes is not. */
export function printCsv(io: Io, head: readonly string[], rows: readonly (readonly unknown[])[]): void {
  const field = (value: unknown): string => {
    if (value === null) return '';
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  for (const row of [head, ...rows]) io.out(`${row.map(field).join(',')}\r\n`, 'data');
}

/** Bytes for people: `312 B`, `4.1 MB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  return `${(bytes / 1_000 ** power).toFixed(1)} ${units[power - 1] ?? ''}`;
}

/** A report for a person, or as JSON; JSON that tells of something wrong has its words for a person beside it, on stderr. */
export function printReport<Report>(
  io: Io,
  report: Report,
  how: { readonly asJson: boolean; readonly isGood: boolean },
  printWords: (io: Io, report: Report) => void,
): void {
  if (how.asJson) printJson(io, report);
  if (!how.asJson) printWords(io, report);
  else if (!how.isGood) printWords({ ...io, out: io.err }, report);
}
