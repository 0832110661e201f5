import type { MarketStream, StreamConnection, StreamEnd } from '../../src/core/ports/market-stream.js';
import type { Tick } from '../../src/core/tick.js';

/** A connection that a test pushes ticks through, and ends. */
export class FakeConnection implements StreamConnection {
  private endOver: (end: StreamEnd) => void = () => undefined;
  private endClosed: () => void = () => undefined;
  readonly over = new Promise<StreamEnd>((resolve) => (this.endOver = resolve));
  readonly closed = new Promise<void>((resolve) => (this.endClosed = resolve));
  closedBecause: string | undefined;

  constructor(
    readonly symbols: readonly string[],
    readonly push: (tick: Tick) => void,
  ) {}

  /** It still delivers, but not for long. */
  announceEnd(): void {
    this.endOver({ why: 'the exchange shuts down', isClosed: false });
  }

  close(why: string): void {
    this.closedBecause ??= why;
    this.endOver({ why, isClosed: true });
    this.endClosed();
  }
}

/** A stream in memory; `failures` lets the next connects fail. */
export class FakeStream implements MarketStream {
  mostSymbols = 1024;
  failures = 0;
  readonly connections: FakeConnection[] = [];
  /** Runs when a connection is open. */
  onConnect: (connection: FakeConnection) => void = () => undefined;

  connect(symbols: readonly string[], onTick: (tick: Tick) => void): Promise<StreamConnection> {
    if (this.failures > 0) {
      this.failures -= 1;
      return Promise.reject(new Error('The stream did not open: refused'));
    }
    const connection = new FakeConnection(symbols, onTick);
    this.connections.push(connection);
    setImmediate(() => this.onConnect(connection));
    return Promise.resolve(connection);
  }
}
