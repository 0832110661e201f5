import type { Cursor, Produced, TickSink } from '../../src/core/ports/topic.js';
import type { ProducerHeartbeat } from '../../src/core/producer-heartbeat.js';
import type { RejectedRow } from '../../src/core/rejected-row.js';
import type { Tick } from '../../src/core/tick.js';

/** A topic in memory. What happened is kept in one list, so that a test can see the order. */
export class FakeTopic implements TickSink {
  readonly events: (
    | { readonly sent: readonly Tick[] }
    | { readonly rejected: readonly RejectedRow[] }
    | { readonly cursors: readonly Cursor[] }
    | 'closed'
  )[] = [];
  /** Runs before the acknowledgement. */
  onSend: (ticks: readonly Tick[]) => void | Promise<void> = () => undefined;
  onOpen: () => void = () => undefined;
  /** Those that were written, and the ids of those that were removed. */
  readonly heartbeats: ProducerHeartbeat[] = [];
  readonly replaced: string[] = [];

  constructor(
    private readonly before: readonly Cursor[] = [],
    private readonly producers: readonly ProducerHeartbeat[] = [],
  ) {}

  open(): Promise<void> {
    this.onOpen();
    return Promise.resolve();
  }

  async send(ticks: readonly Tick[]): Promise<void> {
    if (ticks.length === 0) return;
    await this.onSend(ticks);
    this.events.push({ sent: ticks });
  }

  sendRejected(rows: readonly RejectedRow[]): Promise<void> {
    if (rows.length > 0) this.events.push({ rejected: rows });
    return Promise.resolve();
  }

  writeCursors(cursors: readonly Cursor[]): Promise<void> {
    if (cursors.length > 0) this.events.push({ cursors });
    return Promise.resolve();
  }

  writeHeartbeat(heartbeat: ProducerHeartbeat, replaced: readonly ProducerHeartbeat[] = []): Promise<void> {
    this.heartbeats.push(heartbeat);
    this.replaced.push(...replaced.map(({ id }) => id));
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.events.push('closed');
    return Promise.resolve();
  }

  produced(): Promise<Produced> {
    return Promise.resolve({ cursors: this.before, producers: this.producers });
  }

  idsOf(symbol: string): number[] {
    return this.events
      .flatMap((event) => (typeof event === 'object' && 'sent' in event ? event.sent : []))
      .filter((tick) => tick.symbol === symbol)
      .map(({ aggTradeId }) => aggTradeId);
  }

  get rejected(): RejectedRow[] {
    return this.events.flatMap((event) =>
      typeof event === 'object' && 'rejected' in event ? event.rejected : [],
    );
  }

  /** The newest cursor id of a symbol. */
  cursorOf(symbol: string): number | undefined {
    return this.events
      .flatMap((event) => (typeof event === 'object' && 'cursors' in event ? event.cursors : []))
      .findLast((cursor) => cursor.symbol === symbol)?.aggTradeId;
  }

  /** How the producer said in its newest cursor of a symbol that it ended. */
  endOf(symbol: string): Cursor['endedBy'] {
    return this.events
      .flatMap((event) => (typeof event === 'object' && 'cursors' in event ? event.cursors : []))
      .findLast((cursor) => cursor.symbol === symbol)?.endedBy;
  }
}
