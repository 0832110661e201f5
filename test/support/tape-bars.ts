import type { Bar } from '../../src/core/ports/bars.js';

/** Amounts as integers of 10^-8, quote volumes of 10^-16: a way of their own, apart from the decimals of the product. */
const scaled = (text: string): bigint => {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(8, '0'));
};
const unscaled = (value: bigint, digits: number): string => {
  const text = value.toString().padStart(digits + 1, '0');
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
};

interface Sums {
  readonly rows: readonly (readonly string[])[];
  readonly first: readonly string[];
  readonly last: readonly string[];
}

/** Bars of any width from rows of the exchange's aggTrades archive, which are in order of id. None is final. */
export function barsOfTape(rows: readonly (readonly string[])[], symbol: string, widthMs: number): Bar[] {
  const groups = new Map<number, string[][]>();
  for (const row of rows) {
    const start = Math.floor(Number(row[5]) / widthMs) * widthMs;
    groups.set(start, [...(groups.get(start) ?? []), [...row]]);
  }
  return [...groups].map(([windowStart, group]) =>
    barOf({ rows: group, first: group[0]!, last: group.at(-1)! }, symbol, windowStart),
  );
}

function barOf({ rows, first, last }: Sums, symbol: string, windowStart: number): Bar {
  const takers = rows.filter((row) => row[6]!.toLowerCase() === 'false');
  const prices = rows.map((row) => scaled(row[1]!));
  const count = (list: Sums['rows']): number =>
    list.reduce((sum, row) => sum + Number(row[4]) - Number(row[3]) + 1, 0);
  const volume = (list: Sums['rows']): string =>
    unscaled(
      list.reduce((sum, row) => sum + scaled(row[2]!), 0n),
      8,
    );
  const quote = (list: Sums['rows']): string =>
    unscaled(
      list.reduce((sum, row) => sum + scaled(row[1]!) * scaled(row[2]!), 0n),
      16,
    );
  return {
    source: 'binance-spot',
    symbol,
    windowStart,
    open: first[1]!,
    high: unscaled(
      prices.reduce((a, b) => (a > b ? a : b)),
      8,
    ),
    low: unscaled(
      prices.reduce((a, b) => (a < b ? a : b)),
      8,
    ),
    close: last[1]!,
    volume: volume(rows),
    quoteVolume: quote(rows),
    tradeCount: count(rows),
    takerBuyVolume: volume(takers),
    takerBuyQuoteVolume: quote(takers),
    takerBuyTradeCount: count(takers),
    firstAggTradeId: Number(first[0]),
    lastAggTradeId: Number(last[0]),
    firstTradeId: Number(first[3]),
    lastTradeId: Number(last[4]),
    isFinal: false,
  };
}
