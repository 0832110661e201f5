import { isListed, type Market, type TimeScale } from '../answers.js';
import { endAt, type TapeTrade } from '../tapes/tape.js';
import { aggTradePayload } from './messages.js';

/** A trade that is due, with its payload in either unit of time; each is made once, however many get it. */
export interface DueTrade {
  readonly symbol: string;
  readonly trade: TapeTrade;
  readonly payload: (scale: TimeScale) => string;
}

/** A burst of a whole tape that is played far too fast does not go out at once. */
const MOST_AT_ONCE = 5_000;

/** Takes from the tape, symbol by symbol, what has become due since it was last asked. */
export class TradePump {
  private readonly positions = new Map<string, number>();

  constructor(private readonly market: Market) {}

  /** From now on the trades of these symbols are handed out, and of no others; those of before are not. */
  followOnly(symbols: ReadonlySet<string>): void {
    for (const symbol of this.positions.keys()) if (!symbols.has(symbol)) this.positions.delete(symbol);
    for (const symbol of symbols) {
      const tape = this.market.tape.get(symbol);
      if (tape !== undefined && !this.positions.has(symbol))
        this.positions.set(symbol, endAt(tape, this.market.clock.now()));
    }
  }

  /** What has become due, in order of time; of one symbol in order of id. */
  take(): DueTrade[] {
    const now = this.market.clock.now();
    const due: DueTrade[] = [];
    for (const [symbol, from] of this.positions) {
      const tape = this.market.tape.get(symbol);
      if (tape === undefined) continue;
      const end = Math.min(endAt(tape, now), from + MOST_AT_ONCE);
      if (isListed(this.market, symbol))
        for (const trade of tape.trades(from, end)) due.push(dueTrade(symbol, trade, now));
      this.positions.set(symbol, Math.max(from, end));
    }
    return due.sort((left, right) => left.trade.time - right.trade.time);
  }
}

function dueTrade(symbol: string, trade: TapeTrade, eventTime: number): DueTrade {
  const made = new Map<TimeScale, string>();
  return {
    symbol,
    trade,
    payload: (scale) => {
      const known = made.get(scale) ?? aggTradePayload(symbol, trade, { eventTime, scale });
      made.set(scale, known);
      return known;
    },
  };
}
