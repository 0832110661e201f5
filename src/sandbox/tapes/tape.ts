import { formatAmount } from '../amounts.js';

/** What the exchange says of a symbol; sizes in units of 10⁻⁸. */
export interface SymbolRules {
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly tickUnits: number;
  readonly lotUnits: number;
}

/** One aggregate trade; amounts in units of 10⁻⁸, time in epoch ms. A neutralised one has raw ids -1. */
export interface TapeTrade {
  readonly id: number;
  readonly price: bigint;
  readonly quantity: bigint;
  readonly firstTradeId: number;
  readonly lastTradeId: number;
  readonly time: number;
  readonly buyerIsMaker: boolean;
  readonly isBestMatch: boolean;
}

/**
 * The trades of one symbol in order of id and of time, each at a position: ids may have gaps, positions have none.
 * A trade can be seen when the clock has reached its time: those before `positionAt(now + 1)`.
 */
export interface SymbolTape {
  readonly rules: SymbolRules;
  /** Position of the first trade. */
  readonly begin: number;
  /** Position of the first trade with this id or a higher one. */
  positionOfId(id: number): number;
  /** Position of the first trade at this time or later. */
  positionAt(time: number): number;
  /** Whether the symbol is halted at this time; then there are neither trades nor klines. */
  isHaltedAt(time: number): boolean;
  /** The trades from one position up to, not including, another. */
  trades(from: number, end: number): TapeTrade[];
}

/** The one source of what REST, klines and streams say, by symbol, in order of name. */
export type Tape = ReadonlyMap<string, SymbolTape>;

/** Position after the newest trade that can be seen. */
export function endAt(tape: SymbolTape, now: number): number {
  return Math.max(tape.begin, tape.positionAt(now + 1));
}

export function trade(tape: SymbolTape, position: number): TapeTrade | undefined {
  return tape.trades(position, position + 1)[0];
}

/** The exchange neutralised some rows of 2022: they stay in the list and count as nothing. */
export const isCounted = (row: TapeTrade): boolean => row.firstTradeId >= 0;

const NEUTRALISED_ROWS_LOOKED_BACK = 1_000;

/** The newest trade before a position that is not neutralised. */
export function lastCountedBefore(tape: SymbolTape, position: number): TapeTrade | undefined {
  if (position <= tape.begin) return undefined;
  const previous = trade(tape, position - 1);
  if (previous === undefined || isCounted(previous)) return previous;
  const from = Math.max(tape.begin, position - NEUTRALISED_ROWS_LOOKED_BACK);
  return tape.trades(from, position).findLast(isCounted);
}

/** Price and quantity as they are printed: those of a neutralised row are a bare 0. */
export function printedAmounts(row: TapeTrade): { readonly price: string; readonly quantity: string } {
  if (!isCounted(row)) return { price: '0', quantity: '0' };
  return { price: formatAmount(row.price), quantity: formatAmount(row.quantity) };
}
