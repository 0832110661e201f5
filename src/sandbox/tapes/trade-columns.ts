import type { TapeTrade } from './tape.js';

const FIRST_CAPACITY = 4_096;
const BUYER_IS_MAKER = 1;
const IS_BEST_MATCH = 2;

/** Trades in order, 49 bytes each: a day of a busy symbol has millions of them. */
export class TradeColumns {
  length = 0;
  private ids = new Float64Array(FIRST_CAPACITY);
  private times = new Float64Array(FIRST_CAPACITY);
  private firstIds = new Float64Array(FIRST_CAPACITY);
  private lastIds = new Float64Array(FIRST_CAPACITY);
  private prices = new BigInt64Array(FIRST_CAPACITY);
  private quantities = new BigInt64Array(FIRST_CAPACITY);
  private flags = new Uint8Array(FIRST_CAPACITY);

  push(trade: TapeTrade): void {
    if (this.length === this.ids.length) this.grow();
    const at = this.length;
    this.ids[at] = trade.id;
    this.times[at] = trade.time;
    this.firstIds[at] = trade.firstTradeId;
    this.lastIds[at] = trade.lastTradeId;
    this.prices[at] = trade.price;
    this.quantities[at] = trade.quantity;
    this.flags[at] = (trade.buyerIsMaker ? BUYER_IS_MAKER : 0) | (trade.isBestMatch ? IS_BEST_MATCH : 0);
    this.length += 1;
  }

  /** The trade at a position that is inside. */
  at(position: number): TapeTrade {
    const flags = this.flags[position] ?? 0;
    return {
      id: this.id(position),
      price: this.prices[position] ?? 0n,
      quantity: this.quantities[position] ?? 0n,
      firstTradeId: this.firstIds[position] ?? -1,
      lastTradeId: this.lastIds[position] ?? -1,
      time: this.time(position),
      buyerIsMaker: (flags & BUYER_IS_MAKER) !== 0,
      isBestMatch: (flags & IS_BEST_MATCH) !== 0,
    };
  }

  id(position: number): number {
    return this.ids[position] ?? Number.POSITIVE_INFINITY;
  }

  time(position: number): number {
    return this.times[position] ?? Number.POSITIVE_INFINITY;
  }

  private grow(): void {
    const capacity = this.ids.length * 2;
    const wider = (old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const next = new Float64Array(capacity);
      next.set(old);
      return next;
    };
    this.ids = wider(this.ids);
    this.times = wider(this.times);
    this.firstIds = wider(this.firstIds);
    this.lastIds = wider(this.lastIds);
    const [prices, quantities] = [new BigInt64Array(capacity), new BigInt64Array(capacity)];
    prices.set(this.prices);
    quantities.set(this.quantities);
    const flags = new Uint8Array(capacity);
    flags.set(this.flags);
    this.prices = prices;
    this.quantities = quantities;
    this.flags = flags;
  }
}
