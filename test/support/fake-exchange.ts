import { UnknownSymbolError } from '../../src/core/errors.js';
import type {
  Exchange,
  ExchangeSymbol,
  Kline,
  SymbolPrice,
  TradeQuery,
} from '../../src/core/ports/exchange.js';
import { unreadableRow, type TradeRow } from '../../src/core/trade-row.js';
import type { Tick } from '../../src/core/tick.js';

/** An exchange in memory: the trades of each symbol in order of id. Remembers what it was asked. */
export class FakeExchange implements Exchange {
  readonly queries: TradeQuery[] = [];
  /** Runs before an answer is made: a test makes it slow, lets it fail, or lets new trades happen. */
  onTrades: (query: TradeQuery) => void | Promise<void> = () => undefined;

  /** Statuses other than TRADING. */
  readonly statuses = new Map<string, string>();
  /** Symbols that the exchange lists no longer. */
  readonly delisted = new Set<string>();
  /** Rows that cannot be read, by id, with the reason. */
  readonly unreadable = new Map<number, string>();

  constructor(readonly tape: Record<string, Tick[]>) {}

  serverTime(): Promise<number> {
    return Promise.resolve(1_800_000_000_000);
  }

  symbols(names: readonly string[]): Promise<ExchangeSymbol[]> {
    const listed = names.filter((name) => this.tape[name] !== undefined && !this.delisted.has(name));
    return Promise.resolve(
      listed.map((symbol) => ({
        ...{ symbol, tickSize: '0.01', lotStep: '0.00001' },
        status: this.statuses.get(symbol) ?? 'TRADING',
      })),
    );
  }

  async trades(query: TradeQuery, signal?: AbortSignal): Promise<Tick[]> {
    this.queries.push(query);
    await this.onTrades(query);
    signal?.throwIfAborted();
    if (this.delisted.has(query.symbol)) throw new UnknownSymbolError('no such symbol', query.symbol);
    const all = this.tape[query.symbol] ?? [];
    if ('fromId' in query)
      return all.filter(({ aggTradeId }) => aggTradeId >= query.fromId).slice(0, query.limit);
    if ('startTime' in query)
      return all.filter(({ eventTime }) => eventTime >= query.startTime).slice(0, query.limit);
    return all.slice(-query.limit);
  }

  async tradeRows(query: TradeQuery, signal?: AbortSignal): Promise<TradeRow[]> {
    return (await this.trades(query, signal)).map((tick) => {
      const reason = this.unreadable.get(tick.aggTradeId);
      return reason === undefined
        ? { id: tick.aggTradeId, tick }
        : unreadableRow(tick.aggTradeId, reason, JSON.stringify(tick));
    });
  }

  /** The price of the newest trade of each symbol. */
  prices(symbols: readonly string[]): Promise<SymbolPrice[]> {
    return Promise.resolve(
      symbols.map((symbol) => ({ symbol, price: this.tape[symbol]?.at(-1)?.price ?? '0.00000000' })),
    );
  }

  klines(): Promise<Kline[]> {
    return Promise.resolve([]);
  }

  /** The ids from which full pages of a symbol were asked for, in order. */
  pagesOf(symbol: string): number[] {
    return this.queries.flatMap((query) =>
      query.symbol === symbol && 'fromId' in query && query.limit === 1000 ? [query.fromId] : [],
    );
  }
}
