import { oneMinute, type Interval } from './intervals.js';
import { endAt, isCounted, lastCountedBefore, trade, type SymbolTape, type TapeTrade } from './tapes/tape.js';

/** A kline in whole numbers: prices and volumes in 10⁻⁸, quote volumes in 10⁻¹⁶; open time in epoch ms. */
export interface SandboxKline {
  readonly openTime: number;
  /** Epoch ms; the next kline opens here. */
  readonly end: number;
  readonly open: bigint;
  readonly high: bigint;
  readonly low: bigint;
  readonly close: bigint;
  readonly volume: bigint;
  readonly quoteVolume: bigint;
  readonly count: number;
  readonly takerVolume: bigint;
  readonly takerQuoteVolume: bigint;
}

/** The klines that are wanted; start and end select by open time, epoch ms, both included. */
export interface KlineQuery {
  readonly interval: Interval;
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly limit: number;
  readonly now: number;
}

const CACHED_MINUTES = 50_000;

/** Klines of one symbol, from its trades alone; closed minutes are kept. */
export class SymbolKlines {
  private readonly minutes = new Map<number, SandboxKline>();

  constructor(
    private readonly tape: SymbolTape,
    /** Closed klines that the exchange itself published, by interval and open time. */
    private readonly published: ReadonlyMap<string, ReadonlyMap<number, SandboxKline>> = new Map(),
  ) {}

  /**
   * Oldest first from `start`, else the newest up to `end`; the one that is still open is the last. A quiet stretch is
   * flat at the price before it; before the first trade and in a halt there are no klines.
   */
  select(query: KlineQuery): SandboxKline[] {
    const found: SandboxKline[] = [];
    for (const open of this.openTimes(query)) {
      if (found.length >= query.limit) break;
      const kline = this.kline(query.interval, open, query.now);
      if (kline !== undefined) found.push(kline);
    }
    return query.start === undefined ? found.reverse() : found;
  }

  /** Forwards where there is a start, else backwards. */
  private *openTimes({ interval, start, end, now }: KlineQuery): Generator<number> {
    const first = this.firstOpen(interval, now);
    if (first === undefined) return;
    const last = interval.openOf(Math.min(end ?? now, now));
    if (start === undefined) {
      for (let open = last; open >= first; open = interval.openOf(open - 1)) yield open;
      return;
    }
    let open = interval.openOf(Math.max(start, first));
    if (open < start) open = interval.nextOpen(open);
    for (; open <= last; open = interval.nextOpen(open)) yield open;
  }

  private firstOpen(interval: Interval, now: number): number | undefined {
    const oldest = trade(this.tape, this.tape.begin);
    const times = oldest === undefined || oldest.time > now ? [] : [interval.openOf(oldest.time)];
    for (const { openTime, end } of this.published.get(interval.name)?.values() ?? [])
      if (end <= now) times.push(openTime);
    return times.length === 0 ? undefined : times.reduce((left, right) => Math.min(left, right));
  }

  private kline(interval: Interval, open: number, now: number): SandboxKline | undefined {
    const end = interval.nextOpen(open);
    const isClosed = end <= now;
    const published = this.published.get(interval.name)?.get(open);
    if (isClosed && published !== undefined) return published;
    if (interval.name === '1s') return this.fromTrades(open, end, now);
    return this.fromMinutes(open, end, now);
  }

  private closedMinute(open: number): SandboxKline | undefined {
    const known = this.minutes.get(open);
    if (known !== undefined) return known;
    const end = oneMinute.nextOpen(open);
    const kline = this.fromTrades(open, end, end);
    if (kline === undefined) return undefined;
    if (this.minutes.size >= CACHED_MINUTES) this.minutes.clear();
    this.minutes.set(open, kline);
    return kline;
  }

  /** Everything from a minute up is summed from minutes, so that a day does not walk through all its trades again. */
  private fromMinutes(open: number, end: number, now: number): SandboxKline | undefined {
    const oldest = trade(this.tape, this.tape.begin)?.time ?? now;
    let sum: SandboxKline | undefined;
    for (
      let minute = Math.max(open, oneMinute.openOf(oldest));
      minute < Math.min(end, now + 1);
      minute = oneMinute.nextOpen(minute)
    ) {
      const minuteEnd = oneMinute.nextOpen(minute);
      const next = minuteEnd <= now ? this.closedMinute(minute) : this.fromTrades(minute, minuteEnd, now);
      if (next !== undefined) sum = sum === undefined || sum.count === 0 ? next : join(sum, next);
    }
    return sum === undefined ? undefined : { ...sum, openTime: open, end };
  }

  private fromTrades(open: number, end: number, now: number): SandboxKline | undefined {
    if (this.tape.isHaltedAt(open)) return undefined;
    const from = this.tape.positionAt(open);
    const trades = this.tape.trades(from, Math.min(this.tape.positionAt(end), endAt(this.tape, now)));
    const counted = trades.filter(isCounted);
    const first = counted[0];
    if (first !== undefined) return sumOf(counted, first, open, end);
    const before = lastCountedBefore(this.tape, from);
    return before === undefined ? undefined : flat(before.price, open, end);
  }
}

function flat(price: bigint, openTime: number, end: number): SandboxKline {
  const none = { volume: 0n, quoteVolume: 0n, count: 0, takerVolume: 0n, takerQuoteVolume: 0n };
  return { openTime, end, open: price, high: price, low: price, close: price, ...none };
}

function sumOf(trades: readonly TapeTrade[], first: TapeTrade, openTime: number, end: number): SandboxKline {
  let { price: high, price: low, price: close } = first;
  let [volume, quoteVolume, takerVolume, takerQuoteVolume] = [0n, 0n, 0n, 0n];
  let count = 0;
  for (const { price, quantity, firstTradeId, lastTradeId, buyerIsMaker } of trades) {
    const quote = price * quantity;
    if (price > high) high = price;
    if (price < low) low = price;
    close = price;
    volume += quantity;
    quoteVolume += quote;
    count += lastTradeId - firstTradeId + 1;
    if (buyerIsMaker) continue;
    takerVolume += quantity;
    takerQuoteVolume += quote;
  }
  const sums = { volume, quoteVolume, count, takerVolume, takerQuoteVolume };
  return { openTime, end, open: first.price, high, low, close, ...sums };
}

function join(left: SandboxKline, right: SandboxKline): SandboxKline {
  // A quiet minute after trades repeats their last price, so it widens nothing; before them it is left out.
  return {
    openTime: left.openTime,
    end: right.end,
    open: left.open,
    high: left.high > right.high ? left.high : right.high,
    low: left.low < right.low ? left.low : right.low,
    close: right.close,
    volume: left.volume + right.volume,
    quoteVolume: left.quoteVolume + right.quoteVolume,
    count: left.count + right.count,
    takerVolume: left.takerVolume + right.takerVolume,
    takerQuoteVolume: left.takerQuoteVolume + right.takerQuoteVolume,
  };
}
