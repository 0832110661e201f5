import type { RejectedRow } from '../../core/rejected-row.js';
import type { Tick } from '../../core/tick.js';

interface Waiter {
  readonly count: number;
  readonly admit: (isAdmitted: boolean) => void;
}

/**
 * Ticks on their way from the fetchers to the one sender. Memory is bounded by room, counted in ticks: a fetcher reserves room
 * before it asks the exchange, and the room is free again when Kafka has acknowledged.
 */
export class TickQueue {
  private free: number;
  private isClosed = false;
  private isRefusing = false;
  private readonly pages: (readonly Tick[])[] = [];
  private rejected: RejectedRow[] = [];
  private readonly waiters: Waiter[] = [];
  private wake: () => void = () => undefined;

  constructor(capacity: number) {
    this.free = capacity;
  }

  /** Waits its turn for room; false when the queue takes nothing more. */
  reserve(count: number): Promise<boolean> {
    if (this.isRefusing) return Promise.resolve(false);
    if (this.tryReserve(count)) return Promise.resolve(true);
    return new Promise((admit) => {
      this.waiters.push({ count, admit });
    });
  }

  /** Room at once or not at all. */
  tryReserve(count: number): boolean {
    if (this.isRefusing || this.waiters.length > 0 || this.free < count) return false;
    this.free -= count;
    return true;
  }

  /** Whoever waits for room, or asks for it later, gets none; what is here already is still given out. */
  refuse(): void {
    this.isRefusing = true;
    for (const { admit } of this.waiters.splice(0)) admit(false);
  }

  /** Gives room back, first come first served. */
  release(count: number): void {
    this.free += count;
    for (
      let first = this.waiters[0];
      first !== undefined && first.count <= this.free;
      first = this.waiters[0]
    ) {
      this.waiters.shift();
      this.free -= first.count;
      first.admit(true);
    }
  }

  /** Room for these ticks was reserved before; they are of one symbol and in order of id. */
  put(ticks: readonly Tick[]): void {
    if (ticks.length === 0) return;
    this.pages.push(ticks);
    this.wake();
  }

  /** Rows that are no trades; room for them was reserved before, as for ticks. */
  putRejected(rows: readonly RejectedRow[]): void {
    if (rows.length === 0) return;
    this.rejected.push(...rows);
    this.wake();
  }

  /** The rows that are no trades, so far. */
  takeRejected(): readonly RejectedRow[] {
    const taken = this.rejected;
    this.rejected = [];
    return taken;
  }

  /** Nothing more will come; `take` gives out what is left. */
  close(): void {
    this.isClosed = true;
    this.wake();
  }

  /** Lets a waiting `take` return empty-handed. */
  nudge(): void {
    this.wake();
  }

  get isEmpty(): boolean {
    return this.pages.length === 0;
  }

  /** Ticks that are put and not taken. */
  get waiting(): number {
    return this.pages.reduce((total, page) => total + page.length, 0);
  }

  /** Pages in the order they came, together `most` ticks or, where one page alone is longer, that page; undefined at the end. */
  async take(most: number): Promise<(readonly Tick[])[] | undefined> {
    if (this.pages.length === 0) {
      if (this.isClosed) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const taken: (readonly Tick[])[] = [];
    let count = 0;
    for (let page = this.pages[0]; page !== undefined; page = this.pages[0]) {
      if (taken.length > 0 && count + page.length > most) break;
      this.pages.shift();
      taken.push(page);
      count += page.length;
    }
    return taken.length === 0 && this.isClosed ? undefined : taken;
  }
}
