import { GapBook, type Gap, type OpenGap } from './gap.js';
import type { ProducedSymbol } from './producer-heartbeat.js';
import { SymbolProblems, type SymbolProblem } from './symbol-problems.js';
import type { Tick } from './tick.js';

/** Where one symbol stands; ids and times are those that Kafka has acknowledged. */
export interface SymbolProgress {
  readonly symbol: string;
  /** `catching up`: there is more than is sent; `live`: nothing more was there at the last poll. */
  readonly state: 'catching up' | 'live';
  readonly sent: number;
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
  /** Seconds of trade time between the last acknowledged trade and the newest known one; undefined before both are known. */
  readonly behindSeconds: number | undefined;
  /** Over the last ten seconds. */
  readonly tradesPerSecond: number;
  /** Gaps of the stream that were filled, and how many trades they had. */
  readonly gaps: number;
  readonly refilled: number;
  /** Samples of a ticker that could not be had in time; 0 for every other feed. */
  readonly missed: number;
  /**
   * When the exchange or its stream answered last about this symbol, epoch ms; undefined before the first time. The symbols of a
   * stream that have no trades are asked for in turn, one a second: the newest of all symbols tells whether the feed hangs.
   */
  readonly answeredAt: number | undefined;
}

export interface ProduceProgress {
  readonly sent: number;
  readonly tradesPerSecond: number;
  readonly symbols: readonly SymbolProgress[];
  /** What keeps single symbols from being complete. */
  readonly problems: readonly SymbolProblem[];
}

const rateWindowMs = 10_000;

/** The last acknowledged trade of a symbol, of this run or of an earlier one. */
export type Acknowledged = Pick<Tick, 'source' | 'symbol' | 'aggTradeId' | 'eventTime'>;

interface SymbolState {
  isLive: boolean;
  sent: number;
  missed: number;
  firstId: number | undefined;
  last: Acknowledged | undefined;
  newestTime: number | undefined;
  /** The exchange's last answer about it, epoch ms. */
  answeredAt: number | undefined;
  /** What was acknowledged when; only the rate window is kept. */
  readonly recent: { readonly at: number; readonly count: number }[];
}

/** What a heartbeat asks of the progress. */
export type ProduceProgressReader = Pick<ProgressCounter, 'producedAt'>;

/** Counts what a producer does. Has no clock: every time is handed in, in epoch milliseconds. */
export class ProgressCounter {
  private readonly states = new Map<string, SymbolState>();
  private readonly gaps = new GapBook();

  constructor(
    symbols: readonly string[],
    private readonly startedAt: number,
    private readonly onGap: (gap: Gap) => void = () => undefined,
    readonly problems: SymbolProblems = new SymbolProblems(),
  ) {
    for (const symbol of symbols)
      this.states.set(symbol, {
        isLive: false,
        sent: 0,
        missed: 0,
        firstId: undefined,
        last: undefined,
        newestTime: undefined,
        answeredAt: undefined,
        recent: [],
      });
  }

  /** An earlier run got this far. */
  resumed(last: Acknowledged): void {
    this.stateOf(last.symbol).last = last;
  }

  /** The exchange has a trade of this time. */
  sawNewest(symbol: string, eventTime: number): void {
    const state = this.stateOf(symbol);
    state.newestTime = Math.max(state.newestTime ?? 0, eventTime);
  }

  /** The exchange answered about the symbol, or its stream brought a message of it. */
  answered(symbol: string, at: number): void {
    this.stateOf(symbol).answeredAt = at;
  }

  /** What a heartbeat tells of each symbol. */
  producedAt(now: number): readonly ProducedSymbol[] {
    const problems = new Map(this.problems.at(now).map(({ symbol, reason }) => [symbol, reason]));
    return [...this.states].map(([symbol, { answeredAt }]) => ({
      ...{ symbol, answeredAt },
      problem: problems.get(symbol),
    }));
  }

  /** So many samples were not to be had. */
  missed(symbol: string, count: number): void {
    this.stateOf(symbol).missed += count;
  }

  setLive(symbol: string, isLive: boolean): void {
    this.stateOf(symbol).isLive = isLive;
  }

  /** What the stream lacked was fetched and waits to be sent; it is told as a gap when Kafka has acknowledged it. */
  fetched(gap: OpenGap): void {
    this.gaps.add(gap);
  }

  /** Kafka has acknowledged these ticks of one symbol, which are in order of id. */
  acknowledged(ticks: readonly Tick[], at: number): void {
    const last = ticks.at(-1);
    if (last === undefined) return;
    const state = this.stateOf(last.symbol);
    state.firstId ??= ticks[0]?.aggTradeId;
    // A trade that comes late, out of order of id, does not take back how far the others have come.
    if (last.aggTradeId >= (state.last?.aggTradeId ?? 0)) state.last = last;
    state.sent += ticks.length;
    state.recent.push({ at, count: ticks.length });
    this.sawNewest(last.symbol, last.eventTime);
    this.gaps.acknowledged(last.symbol, last.aggTradeId, at).forEach(this.onGap);
  }

  /** Of each symbol that has one. */
  lastAcknowledged(): Acknowledged[] {
    return [...this.states.values()].flatMap(({ last }) => (last === undefined ? [] : [last]));
  }

  at(now: number): ProduceProgress {
    const symbols = [...this.states].map(([symbol, state]) => this.progressOf(symbol, state, now));
    const sum = (of: (symbol: SymbolProgress) => number): number =>
      symbols.reduce((total, symbol) => total + of(symbol), 0);
    return {
      sent: sum(({ sent }) => sent),
      tradesPerSecond: sum(({ tradesPerSecond }) => tradesPerSecond),
      symbols,
      problems: this.problems.at(now),
    };
  }

  private progressOf(symbol: string, state: SymbolState, now: number): SymbolProgress {
    while (state.recent[0] !== undefined && state.recent[0].at <= now - rateWindowMs) state.recent.shift();
    const count = state.recent.reduce((total, entry) => total + entry.count, 0);
    const seconds = Math.max(1, Math.min(rateWindowMs, now - this.startedAt) / 1000);
    const { firstId, last, newestTime } = state;
    const { gaps, ids: refilled } = this.gaps.countOf(symbol);
    const isKnown = last !== undefined && newestTime !== undefined;
    return {
      symbol,
      state: state.isLive ? 'live' : 'catching up',
      sent: state.sent,
      firstId,
      lastId: last?.aggTradeId,
      behindSeconds: isKnown ? Math.max(0, newestTime - last.eventTime) / 1000 : undefined,
      tradesPerSecond: Math.round(count / seconds),
      gaps,
      refilled,
      missed: state.missed,
      answeredAt: state.answeredAt,
    };
  }

  private stateOf(symbol: string): SymbolState {
    const state = this.states.get(symbol);
    if (state === undefined) throw new Error(`no progress is kept of ${symbol}`);
    return state;
  }
}
