import type { TapeOddities } from '../../core/ports/sandbox.js';
import { hash, keyFor, keyOf } from './hash.js';
import { PricePath } from './price-path.js';
import { Schedule, type ScheduledMinute } from './schedule.js';
import { generatedRules } from './symbol-rules.js';
import type { SymbolRules, SymbolTape, TapeTrade } from './tape.js';

/** Half of the trades are smaller than so many lots. */
const MEDIAN_LOTS = 300;
const LOT_SPREAD = 1.5;
const ONE_NEUTRALISED_IN = 300;

/**
 * An endless tape that is a pure function of seed, symbol and rate: the same trades in every process, from whatever
 * time it is asked; ids and raw ids without gaps, neutralised rows aside, which have no raw ids. `begin` (epoch ms) only cuts off what is older.
 */
export class GeneratedTape implements SymbolTape {
  readonly rules: SymbolRules;
  readonly begin: number;
  private readonly schedule: Schedule;
  private readonly path: PricePath;
  private readonly keys: { readonly raw: number; readonly side: number; readonly size: number };
  private readonly neutralisedKey: number | undefined;

  constructor(options: {
    readonly symbol: string;
    readonly seed: string;
    readonly ratePerSecond: number;
    readonly begin: number;
    readonly oddities?: TapeOddities;
  }) {
    const { basePrice, ...rules } = generatedRules(options.symbol);
    const key = keyOf(`${options.seed}/${options.symbol}`);
    this.rules = rules;
    this.schedule = new Schedule(key, options.ratePerSecond, options.oddities);
    this.path = new PricePath(keyFor(key, 'price'), basePrice);
    this.keys = { raw: keyFor(key, 'raw'), side: keyFor(key, 'side'), size: keyFor(key, 'size') };
    this.neutralisedKey = options.oddities?.hasNeutralised === true ? keyFor(key, 'neutralised') : undefined;
    this.begin = this.schedule.firstIdAt(options.begin);
  }

  positionOfId(id: number): number {
    return Math.max(this.begin, id);
  }

  positionAt(time: number): number {
    return Math.max(this.begin, this.schedule.firstIdAt(time));
  }

  isHaltedAt(time: number): boolean {
    return this.schedule.isHaltedAt(time);
  }

  trades(from: number, end: number): TapeTrade[] {
    const trades: TapeTrade[] = [];
    for (let id = Math.max(this.begin, from); id < end;) {
      const minute = this.schedule.minuteOfId(id);
      const stop = Math.min(end, minute.firstId + minute.count);
      for (; id < stop; id += 1) trades.push(this.trade(minute, id));
    }
    return trades;
  }

  private trade(minute: ScheduledMinute, id: number): TapeTrade {
    const leader = this.schedule.leaderOf(minute, id - minute.firstId);
    const leaderId = minute.firstId + leader;
    const time = this.schedule.timeOf(minute, leader);
    if (this.isNeutralised(id)) return neutralised(id, time);
    const buyerIsMaker = hash(this.keys.side, leaderId) % 2 === 0;
    // A burst is one big order that eats its way into the book; sells hit the bid, buys the ask one tick above.
    const depth = Math.floor(Math.sqrt(id - leaderId));
    const bid = Math.round((this.path.at(time) * 1e8) / this.rules.tickUnits);
    const ticks = Math.max(1, buyerIsMaker ? bid - depth : bid + 1 + depth);
    return {
      id,
      price: BigInt(ticks * this.rules.tickUnits),
      quantity: BigInt(this.lots(id) * this.rules.lotUnits),
      firstTradeId: this.firstRawId(id),
      lastTradeId: this.firstRawId(this.nextWithRawIds(id)) - 1,
      time,
      buyerIsMaker,
      isBestMatch: true,
    };
  }

  private isNeutralised(id: number): boolean {
    return this.neutralisedKey !== undefined && hash(this.neutralisedKey, id) % ONE_NEUTRALISED_IN === 0;
  }

  /** The raw ids of a neutralised row belong to the trade before it, so that none is missing. */
  private nextWithRawIds(id: number): number {
    let next = id + 1;
    while (this.isNeutralised(next)) next += 1;
    return next;
  }

  /** Raw ids are contiguous: each trade ends where the next begins and spans 1 to 5 of them. */
  private firstRawId(id: number): number {
    return 3 * id + (hash(this.keys.raw, id) % 3);
  }

  /** Log-normal-like: the sum of four bytes is near enough to a normal distribution. */
  private lots(id: number): number {
    const bits = hash(this.keys.size, id);
    const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
    const deviations = (sum / 255 - 2) * Math.sqrt(3);
    return Math.max(1, Math.round(MEDIAN_LOTS * Math.exp(LOT_SPREAD * deviations)));
  }
}

function neutralised(id: number, time: number): TapeTrade {
  const nothing = { price: 0n, quantity: 0n, firstTradeId: -1, lastTradeId: -1 };
  return { id, ...nothing, time, buyerIsMaker: false, isBestMatch: true };
}
