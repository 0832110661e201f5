import { hash, keyOf } from './hash.js';
import type { SymbolRules } from './tape.js';

/** Rules of a symbol and the price that a generated tape swings around. */
interface KnownSymbol extends SymbolRules {
  readonly basePrice: number;
}

/** Symbol, base, quote, tick, lot (in 10⁻⁸), price. Tick × lot is at least 10⁻⁸, so that quote volumes are exact. */
const KNOWN: readonly (readonly [string, string, number, number, number])[] = [
  ['BTC', 'USDT', 1_000_000, 1_000, 64_000],
  ['ETH', 'USDT', 1_000_000, 10_000, 2_600],
  ['BNB', 'USDT', 1_000_000, 100_000, 600],
  ['SOL', 'USDT', 1_000_000, 100_000, 150],
  ['LTC', 'USDT', 1_000_000, 100_000, 70],
  ['XRP', 'USDT', 10_000, 10_000_000, 0.6],
  ['ADA', 'USDT', 10_000, 10_000_000, 0.4],
  ['TRX', 'USDT', 10_000, 10_000_000, 0.15],
  ['DOGE', 'USDT', 1_000, 100_000_000, 0.12],
  ['ETH', 'BTC', 1_000, 100_000, 0.04],
  ['BNB', 'BTC', 100, 1_000_000, 0.009],
];
const QUOTES = ['USDT', 'USDC', 'FDUSD', 'TUSD', 'BUSD', 'BTC', 'ETH', 'BNB', 'EUR', 'TRY', 'BRL'];

const known = new Map(
  KNOWN.map(([baseAsset, quoteAsset, tickUnits, lotUnits, basePrice]): [string, KnownSymbol] => {
    const symbol = `${baseAsset}${quoteAsset}`;
    return [symbol, { symbol, baseAsset, quoteAsset, tickUnits, lotUnits, basePrice }];
  }),
);

/** The two assets of a symbol: by the quotes that are usual, else the last three letters. */
function assetsOf(symbol: string): Pick<SymbolRules, 'baseAsset' | 'quoteAsset'> {
  const quote =
    QUOTES.find((name) => symbol.endsWith(name) && symbol.length > name.length) ?? symbol.slice(-3);
  return { baseAsset: symbol.slice(0, -quote.length) || symbol, quoteAsset: quote };
}

/** What a generated tape takes for a symbol: the known rules, else ones that follow from the name alone. */
export function generatedRules(symbol: string): KnownSymbol {
  const listed = known.get(symbol);
  if (listed !== undefined) return listed;
  const power = (hash(keyOf(symbol), 0) % 5) - 1;
  const digits = 1 + (hash(keyOf(symbol), 1) % 900) / 100;
  // Ten thousand to a hundred thousand ticks in a price; the lot keeps tick × lot at 10⁻⁷ or more.
  const tickUnits = 10 ** (8 + power - 4);
  const lotUnits = Math.max(1_000, 10 ** 9 / tickUnits);
  return { symbol, ...assetsOf(symbol), tickUnits, lotUnits, basePrice: digits * 10 ** power };
}

/** What the trades of a recorded tape show: the coarsest decimal steps, and no coarser than is known or than 1. */
export function recordedRules(
  symbol: string,
  seen: { readonly tick: number; readonly lot: number },
): SymbolRules {
  const listed = known.get(symbol);
  return {
    symbol,
    ...assetsOf(symbol),
    tickUnits: Math.min(seen.tick, listed?.tickUnits ?? 100_000_000),
    lotUnits: Math.min(seen.lot, listed?.lotUnits ?? 100_000_000),
  };
}
