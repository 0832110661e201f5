import { Decimal } from 'decimal.js';
import type { Difference, FieldVerdict } from './minute-verdict.js';
import type { Bar } from './ports/bars.js';
import type { ExchangeSymbol, Kline } from './ports/exchange.js';

/** Wide enough that no sum or product of two NUMERIC texts is ever rounded. */
const Exact = Decimal.clone({ precision: 200 });
const cutPerTrade = new Exact('1e-8');

/** The nine fields that our bar and the exchange's have in common. */
export const barFields = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'quoteVolume',
  'tradeCount',
  'takerBuyVolume',
  'takerBuyQuoteVolume',
] as const;

type BarField = (typeof barFields)[number];

/**
 * True where price × quantity always fits 8 decimals, so that the exchange's quote volumes are exact. Elsewhere it cuts
 * each raw fill to 8 decimals before it sums (measured on recorded ETHBTC trades).
 */
export const hasExactQuote = (symbol: Pick<ExchangeSymbol, 'tickSize' | 'lotStep'>): boolean =>
  new Exact(symbol.tickSize).times(symbol.lotStep).greaterThanOrEqualTo(cutPerTrade);

/** A bar against the exchange's: the fields that are not equal, and whether any is equal but for the cut. */
export interface FieldComparison {
  readonly differences: readonly Difference[];
  readonly isQuoteCut: boolean;
}

/** All nine fields as exact decimals, with the quote-volume rule where the symbol's quote volumes are not exact. */
export function compareFields(bar: Bar, kline: Kline, isExactQuote: boolean): FieldComparison {
  const verdicts = barFields.map((field) => ({
    field,
    verdict: compareField(field, bar, kline, isExactQuote),
  }));
  return {
    differences: verdicts
      .filter(({ verdict }) => verdict === 'different')
      .map(({ field }) => difference(field, bar[field], kline[field])),
    isQuoteCut: verdicts.some(({ verdict }) => verdict === 'quote cut'),
  };
}

function compareField(field: BarField, bar: Bar, kline: Kline, isExactQuote: boolean): FieldVerdict {
  const ours = new Exact(bar[field]);
  const theirs = new Exact(kline[field]);
  if (ours.equals(theirs)) return 'equal';
  const cutTrades = isExactQuote ? 0 : tradesBehind(field, bar);
  const lowest = ours.minus(cutPerTrade.times(cutTrades));
  return theirs.greaterThan(lowest) && theirs.lessThanOrEqualTo(ours) ? 'quote cut' : 'different';
}

/** How many raw trades were cut before they were summed to this field; 0 for a field that is no quote volume. */
function tradesBehind(field: BarField, bar: Bar): number {
  if (field === 'quoteVolume') return bar.tradeCount;
  return field === 'takerBuyQuoteVolume' ? bar.takerBuyTradeCount : 0;
}

function difference(field: BarField, ours: string | number, theirs: string | number): Difference {
  return {
    field,
    ours: String(ours),
    theirs: String(theirs),
    difference: new Exact(ours).minus(theirs).toFixed(),
  };
}
