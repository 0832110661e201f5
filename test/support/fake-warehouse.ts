import type { BarEvidence, BarStore } from '../../src/core/ports/bars.js';
import type { Exchange, ExchangeSymbol, Kline } from '../../src/core/ports/exchange.js';

const unexpected = (what: string) => (): never => {
  throw new Error(`the test did not expect a call of ${what}`);
};

/** A warehouse that holds the evidence of some symbols; remembers what it was asked for. */
export function fakeBarStore(evidence: Readonly<Record<string, BarEvidence>>) {
  const asked: Parameters<BarStore['evidence']>[0][] = [];
  const store: BarStore = {
    symbols: () => Promise.resolve(Object.keys(evidence)),
    evidence: (query) => {
      asked.push(query);
      const none = { bars: [], coverage: [], lastIdBefore: undefined, firstIdAfter: undefined };
      return Promise.resolve(evidence[query.symbol] ?? none);
    },
    bars: unexpected('bars'),
    coverage: unexpected('coverage'),
    holes: unexpected('holes'),
    freshness: unexpected('freshness'),
    committedOffsets: unexpected('committedOffsets'),
  };
  return { store, asked };
}

/** An exchange with these bars; answers at most 1,000 at once, as the real one does. */
export function fakeExchange(
  klines: readonly Kline[],
  options: { readonly now?: number; readonly symbol?: Partial<ExchangeSymbol> } = {},
) {
  const asked: { readonly startTime: number; readonly endTime: number }[] = [];
  const exchange: Exchange = {
    serverTime: () => Promise.resolve(options.now ?? 0),
    symbols: (names) =>
      Promise.resolve(
        names.map((symbol) => ({
          symbol,
          status: 'TRADING',
          tickSize: '0.01',
          lotStep: '0.00001',
          ...options.symbol,
        })),
      ),
    trades: unexpected('trades'),
    tradeRows: unexpected('tradeRows'),
    klines: ({ startTime, endTime }) => {
      asked.push({ startTime, endTime });
      return Promise.resolve(
        klines.filter(({ openTime }) => openTime >= startTime && openTime <= endTime).slice(0, 1000),
      );
    },
  };
  return { exchange, asked };
}
