import type { Tick } from '../tick.js';

/** How a connection comes to its end. */
export interface StreamEnd {
  /** In words for a person: `closed with 1006`, `the exchange shuts down`. */
  readonly why: string;
  /** False where it still delivers for a while, so that another can be opened before it goes. */
  readonly isClosed: boolean;
}

export interface StreamConnection {
  /** Resolves when it is over or about to be; never rejects. */
  readonly over: Promise<StreamEnd>;
  /** Resolves when nothing more comes; never rejects. */
  readonly closed: Promise<void>;
  /** Ends it at once. */
  close(why: string): void;
}

/** Trades as the exchange pushes them, of one connection from its subscription on: nothing is replayed after a break. */
export interface MarketStream {
  /** At most so many symbols on a connection. */
  readonly mostSymbols: number;
  /**
   * Connects and subscribes; the signal ends the attempt, not the connection. `onTick` gets what arrives, in the order of its arrival: with gaps and repeats where the exchange
   * or the network makes them.
   * @throws UnreachableError with the address and the reason.
   */
  connect(
    symbols: readonly string[],
    onTick: (tick: Tick) => void,
    signal: AbortSignal,
  ): Promise<StreamConnection>;
}
