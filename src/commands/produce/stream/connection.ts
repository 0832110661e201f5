import type { Clock } from '../../../core/ports/clock.js';
import type { MarketStream, StreamConnection } from '../../../core/ports/market-stream.js';
import type { Tick } from '../../../core/tick.js';

export interface ConnectionTools {
  readonly stream: MarketStream;
  readonly clock: Clock;
  readonly symbols: readonly string[];
  readonly onTick: (tick: Tick) => void;
  /** Nothing comes any more until the next `onOpen`. */
  readonly onDown: (why: string) => void;
  readonly onOpen: () => void;
  /** It could not be opened; it is tried again, without end. */
  readonly onFailure: (error: Error) => void;
  readonly signal: AbortSignal;
}

/** The exchange takes 300 connects in five minutes from one address: one in a second at most. */
const leastMs = 1000;
const longestMs = 30_000;
/** One that lives so long was no failure. */
const goodMs = 5000;

/** One connection of the stream, opened again whenever it ends. */
export class KeptConnection {
  private current: StreamConnection | undefined;

  constructor(private readonly tools: ConnectionTools) {}

  get isOpen(): boolean {
    return this.current !== undefined;
  }

  /** Ends the connection that is there, and so opens another. */
  replace(why: string): void {
    this.current?.close(why);
  }

  /** Resolves when the signal has aborted. */
  async run(): Promise<void> {
    const { clock, signal } = this.tools;
    let failures = 0;
    let triedAt = -Infinity;
    signal.addEventListener('abort', () => this.current?.close('stopped'), { once: true });
    for (;;) {
      const pauseMs = Math.min(longestMs, leastMs * 2 ** failures);
      await clock.sleep(Math.max(0, triedAt + pauseMs - clock.now()), signal);
      if (signal.aborted) break;
      triedAt = clock.now();
      const isGood = await this.live();
      failures = isGood ? 0 : failures + 1;
    }
    // One that was opened while the signal aborted.
    this.current?.close('stopped');
  }

  /** One connection until it is over, or about to be: then the next is opened while this one still delivers. */
  private async live(): Promise<boolean> {
    const { clock, onFailure, onOpen, onTick, signal, stream, symbols } = this.tools;
    const startedAt = clock.now();
    let connection: StreamConnection;
    try {
      connection = await stream.connect(symbols, onTick, signal);
    } catch (error) {
      if (!signal.aborted) onFailure(error as Error);
      return false;
    }
    const earlier = this.current;
    this.current = connection;
    earlier?.close('replaced');
    onOpen();
    void connection.closed.then(() => this.lost(connection, 'closed'));
    const { why, isClosed } = await connection.over;
    if (isClosed) this.lost(connection, why);
    return clock.now() - startedAt >= goodMs;
  }

  private lost(connection: StreamConnection, why: string): void {
    if (this.current !== connection) return;
    this.current = undefined;
    this.tools.onDown(why);
  }
}
