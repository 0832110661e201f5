import type { BarDay, BarEvidence, BarStore } from '../../src/core/ports/bars.js';
import type { Exchange, ExchangeSymbol, Kline, KlineArchive } from '../../src/core/ports/exchange.js';
import type { Reconciliations } from '../../src/core/ports/reconciliations.js';
import { dayOf } from '../../src/core/utc-day.js';

const unexpected = (what: string) => (): never => {
  throw new Error(`the test did not expect a call of ${what}`);
};
const nothing: BarEvidence = { bars: [], coverage: [], lastIdBefore: undefined, firstIdAfter: undefined };

interface Range {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** A part of the evidence, as the warehouse would read it: its neighbours are the bars right before and after. */
function partOf({ bars, ...all }: BarEvidence, { from = -Infinity, to = Infinity }: Range): BarEvidence {
  const before = bars.filter(({ windowStart }) => windowStart < from).at(-1);
  const after = bars.find(({ windowStart }) => windowStart >= to);
  return {
    bars: bars.filter(({ windowStart }) => windowStart >= from && windowStart < to),
    coverage: all.coverage,
    lastIdBefore: before?.lastAggTradeId ?? all.lastIdBefore,
    firstIdAfter: after?.firstAggTradeId ?? all.firstIdAfter,
  };
}

function daysOf({ bars }: BarEvidence): BarDay[] {
  const starts = bars.map(({ windowStart }) => windowStart);
  return [...new Set(starts.map(dayOf))].map((day) => {
    const ofDay = starts.filter((start) => dayOf(start) === day);
    return { firstBarAt: ofDay[0]!, lastBarAt: ofDay.at(-1)! };
  });
}

/** A warehouse that holds the evidence of some symbols; remembers what it was asked for. */
export function fakeBarStore(evidence: Readonly<Record<string, BarEvidence>>) {
  const asked: Parameters<BarStore['evidence']>[0][] = [];
  const find = (symbol: string): BarEvidence => evidence[symbol] ?? nothing;
  const store: BarStore = {
    symbols: () => Promise.resolve(Object.keys(evidence)),
    evidence: (query) => {
      asked.push(query);
      return Promise.resolve(partOf(find(query.symbol), query));
    },
    barDays: (query) => Promise.resolve(daysOf(partOf(find(query.symbol), query))),
    bars: unexpected('bars'),
    coverage: unexpected('coverage'),
    holes: unexpected('holes'),
    freshness: unexpected('freshness'),
    committedOffsets: unexpected('committedOffsets'),
  };
  return { store, asked };
}

/** A place for verdicts that remembers what was brought. */
export function fakeReconciliations() {
  const saved: Parameters<Reconciliations['save']>[0][] = [];
  const reconciliations: Reconciliations = {
    check: () => Promise.resolve(),
    save: (found) => {
      saved.push(found);
      return Promise.resolve();
    },
  };
  return { reconciliations, saved };
}

/** An archive that has published these days (epoch ms of their beginnings), each with its part of the bars. */
export const fakeKlineArchive = (klines: readonly Kline[], days: readonly number[]): KlineArchive => ({
  klinesOfDay: (_symbol, day) =>
    Promise.resolve(
      days.includes(day) ? klines.filter(({ openTime }) => dayOf(openTime) === day) : undefined,
    ),
});

/** An exchange with these bars, long settled; answers at most 1,000 at once, as the real one does. */
export function fakeExchange(
  klines: readonly Kline[],
  options: { readonly now?: number; readonly symbol?: Partial<ExchangeSymbol> } = {},
) {
  const asked: { readonly startTime: number; readonly endTime: number }[] = [];
  const exchange: Exchange = {
    serverTime: () => Promise.resolve(options.now ?? Date.UTC(2030, 0, 1)),
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
    prices: unexpected('prices'),
    klines: ({ startTime, endTime }) => {
      asked.push({ startTime, endTime });
      return Promise.resolve(
        klines.filter(({ openTime }) => openTime >= startTime && openTime <= endTime).slice(0, 1000),
      );
    },
  };
  return { exchange, asked };
}
