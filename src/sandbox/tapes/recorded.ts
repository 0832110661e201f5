import { ConfigError } from '../../core/errors.js';
import { parseAmount } from '../amounts.js';
import { archiveRows, badRow, parseArchiveName, parseArchiveTime } from './archive-rows.js';
import { recordedRules } from './symbol-rules.js';
import type { SymbolRules, SymbolTape, TapeTrade } from './tape.js';
import { TradeColumns } from './trade-columns.js';

/** Trades that were recorded, in memory; positions count from 0. */
export class RecordedTape implements SymbolTape {
  readonly begin = 0;

  constructor(
    readonly rules: SymbolRules,
    private readonly columns: TradeColumns,
  ) {}

  /** Epoch ms of the first and the last trade. */
  get span(): { readonly first: number; readonly last: number } {
    return { first: this.columns.time(0), last: this.columns.time(this.columns.length - 1) };
  }

  positionOfId(id: number): number {
    return this.firstPosition((position) => this.columns.id(position) >= id);
  }

  positionAt(time: number): number {
    return this.firstPosition((position) => this.columns.time(position) >= time);
  }

  /** A file does not say whether the symbol was halted or just quiet. */
  isHaltedAt(): boolean {
    return false;
  }

  trades(from: number, end: number): TapeTrade[] {
    const trades: TapeTrade[] = [];
    const stop = Math.min(end, this.columns.length);
    for (let position = Math.max(0, from); position < stop; position += 1)
      trades.push(this.columns.at(position));
    return trades;
  }

  private firstPosition(isReached: (position: number) => boolean): number {
    let low = 0;
    let high = this.columns.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isReached(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * Reads files of aggregate trades; those of one symbol are joined in order of id.
 * @throws ConfigError that names file and line of what is wrong.
 */
export async function readRecordedTapes(files: readonly string[]): Promise<Map<string, RecordedTape>> {
  const bySymbol = new Map<string, LoadedFile[]>();
  for (const file of files) {
    const { symbol, type } = parseArchiveName(file);
    if (type !== 'aggTrades')
      throw new ConfigError(`${file} holds ${type}, not aggTrades`, {
        nextStep: 'A tape is made of SYMBOL-aggTrades-… files; klines go to --klines.',
      });
    const loaded = await readFile(file);
    bySymbol.set(symbol, [...(bySymbol.get(symbol) ?? []), loaded]);
  }
  return new Map([...bySymbol].sort().map(([symbol, loaded]) => [symbol, joinFiles(symbol, loaded)]));
}

interface LoadedFile {
  readonly file: string;
  readonly columns: TradeColumns;
}

async function readFile(file: string): Promise<LoadedFile> {
  const columns = new TradeColumns();
  for await (const { line, row } of archiveRows(file)) {
    const trade = parseTradeRow(row);
    if (typeof trade === 'string') throw badRow(file, line, trade);
    const last = columns.length - 1;
    if (last >= 0 && trade.id <= columns.id(last))
      throw badRow(file, line, `id ${trade.id} comes after ${columns.id(last)}`);
    if (last >= 0 && trade.time < columns.time(last))
      throw badRow(file, line, `time ${trade.time} comes after ${columns.time(last)}`);
    columns.push(trade);
  }
  if (columns.length === 0) throw badRow(file, 1, 'there is no trade in it');
  return { file, columns };
}

const LARGEST_UNITS = 2n ** 63n - 1n;
const flagOf = (text: string | undefined): boolean | undefined =>
  /^true$/i.test(text ?? '') ? true : /^false$/i.test(text ?? '') ? false : undefined;

function idOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^(-1|\d{1,16})$/.test(text)) return undefined;
  return Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}

/** Columns: id, price, quantity, first and last raw id, time, buyer is maker, best match (futures have none). */
function parseTradeRow(row: readonly string[]): TapeTrade | string {
  if (row.length < 7 || row.length > 8) return `${row.length} columns, not 7 or 8`;
  const [id, firstTradeId, lastTradeId] = [idOf(row[0]), idOf(row[3]), idOf(row[4])];
  const [price, quantity] = [parseAmount(row[1] ?? ''), parseAmount(row[2] ?? '')];
  const time = parseArchiveTime(row[5] ?? '');
  const [buyerIsMaker, isBestMatch] = [flagOf(row[6]), row.length === 7 ? true : flagOf(row[7])];
  if (id === undefined || id < 0) return `'${row[0] ?? ''}' is not an id`;
  if (price === undefined || price > LARGEST_UNITS) return `'${row[1] ?? ''}' is not a price`;
  if (quantity === undefined || quantity > LARGEST_UNITS) return `'${row[2] ?? ''}' is not a quantity`;
  if (firstTradeId === undefined || lastTradeId === undefined || lastTradeId < firstTradeId)
    return `'${row[3] ?? ''}' to '${row[4] ?? ''}' is not a range of raw ids`;
  if (time === undefined) return `'${row[5] ?? ''}' is not a time in ms or µs`;
  if (buyerIsMaker === undefined) return `'${row[6] ?? ''}' is not True or False`;
  if (isBestMatch === undefined) return `'${row[7] ?? ''}' is not True or False`;
  return { id, price, quantity, firstTradeId, lastTradeId, time, buyerIsMaker, isBestMatch };
}

function joinFiles(symbol: string, files: LoadedFile[]): RecordedTape {
  files.sort((left, right) => left.columns.id(0) - right.columns.id(0));
  const [first, ...others] = files;
  if (first === undefined) throw new Error('a symbol without files');
  const all = first.columns;
  for (const { file, columns } of others) {
    const last = all.length - 1;
    if (columns.id(0) <= all.id(last) || columns.time(0) < all.time(last))
      throw badRow(file, 1, `overlaps the file before it, which ends with id ${all.id(last)}`);
    for (let position = 0; position < columns.length; position += 1) all.push(columns.at(position));
  }
  return new RecordedTape(
    recordedRules(symbol, { tick: stepOf(all, 'price'), lot: stepOf(all, 'quantity') }),
    all,
  );
}

/** The largest power of ten (in 10⁻⁸, at most 1) that divides every amount. */
function stepOf(columns: TradeColumns, name: 'price' | 'quantity'): number {
  let step = 100_000_000;
  for (let position = 0; position < columns.length && step > 1; position += 1) {
    const units = columns.at(position)[name];
    while (units % BigInt(step) !== 0n) step /= 10;
  }
  return step;
}
