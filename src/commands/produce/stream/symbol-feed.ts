import type { GapReason } from '../../../core/gap.js';
import type { Exchange } from '../../../core/ports/exchange.js';
import type { Tick } from '../../../core/tick.js';
import type { FeedTools } from '../feed.js';
import { fetchSymbol } from '../fetch.js';

export interface SymbolFeedTools extends FeedTools {
  readonly exchange: Exchange;
  /** Whether the symbol's connection is open: without one, it is polled. */
  readonly isConnected: () => boolean;
  readonly room: HeldRoom;
}

/** Ticks that wait behind gaps, of all symbols together. */
export class HeldRoom {
  private free: number;

  constructor(capacity: number) {
    this.free = capacity;
  }

  take(): boolean {
    if (this.free === 0) return false;
    this.free -= 1;
    return true;
  }

  giveBack(count: number): void {
    this.free += count;
  }
}

/** How soon the exchange is asked again for trades that it does not have yet, ms. */
const askAgainMs = 250;
/** Held ticks that go into the queue at once: its room may be less than what is held. */
const sendAtMost = 1000;
/** How often a symbol without a connection is polled, ms. */
const pollMs = 1000;
/** How long the exchange is asked for what the stream has announced, ms: its REST interface follows within a second or two. */
const goalPatienceMs = 10_000;

/**
 * One symbol of the stream, in order of id and without a gap. What arrives next in order goes into the queue at once. At a jump,
 * at the start, after a break and when the queue is full it fetches by id instead, and what arrives meanwhile waits behind
 * that; when there is no room for it, it is dropped and fetched like the rest.
 *
 * The REST interface decides what exists: an id of the stream that it does not confirm is dropped, and until it has come that far
 * nothing of the stream from that id on is believed.
 */
export class SymbolFeed {
  private held: Tick[] = [];
  private isFetching = false;
  private work: Promise<void> = Promise.resolve();
  /** From this id on the stream is not believed. */
  private doubtedFrom = Infinity;
  /** When a tick arrived last, or the exchange said that there is none, epoch ms. */
  seenAt: number;

  constructor(
    private readonly tools: SymbolFeedTools,
    readonly symbol: string,
    private next: number,
  ) {
    this.seenAt = tools.clock.now();
  }

  get nextId(): number {
    return this.next;
  }

  get isLive(): boolean {
    return !this.isFetching;
  }

  /** The feed has no trade waiting and fetches none any more. */
  async ended(): Promise<void> {
    let work: Promise<void> | undefined;
    while (work !== this.work) {
      work = this.work;
      await work;
    }
  }

  offer(tick: Tick): void {
    const { clock, queue, progress } = this.tools;
    // What is doubted is no sign that the symbol's stream works: the silence watch asks for it.
    if (tick.aggTradeId >= this.doubtedFrom) return;
    this.seenAt = clock.now();
    progress.answered(this.symbol, this.seenAt);
    if (tick.aggTradeId < this.next) return;
    if (this.isFetching) this.hold(tick);
    else if (tick.aggTradeId > this.next) {
      this.hold(tick);
      this.refill('jump');
    } else if (queue.tryReserve(1)) {
      progress.sawNewest(this.symbol, tick.eventTime);
      queue.put([tick]);
      this.next += 1;
    } else this.refill('back-pressure');
  }

  /** The exchange was asked for the next trade, and has it or not. */
  answered(hasMore: boolean): void {
    const now = this.tools.clock.now();
    this.tools.progress.answered(this.symbol, now);
    if (!hasMore) this.seenAt = now;
  }

  /** Fetches by id until what arrives follows on what was fetched. */
  refill(why: GapReason): void {
    if (this.isFetching || this.tools.signal.aborted) return;
    this.isFetching = true;
    this.work = this.fetch(why)
      .catch((error: unknown) => this.tools.onFailure(error))
      .finally(() => {
        this.dropHeld(this.held.length);
        this.isFetching = false;
      });
  }

  private async fetch(why: GapReason): Promise<void> {
    const { clock, exchange, isConnected, progress, queue, signal } = this.tools;
    for (;;) {
      const gap = { symbol: this.symbol, why, firstId: this.next, openedAt: clock.now() };
      const first = this.held[0]?.aggTradeId;
      this.next = await fetchSymbol(
        {
          ...{ exchange, clock, queue, progress, signal },
          ...{ pollIntervalMs: askAgainMs, untilCaughtUp: true, goalPatienceMs, pagesAhead: 4 },
        },
        {
          symbol: this.symbol,
          nextId: this.next,
          newest: first === undefined ? undefined : { aggTradeId: first - 1 },
        },
      );
      const lastId = Math.min(this.next, first ?? this.next) - 1;
      if (lastId >= gap.firstId) progress.fetched({ ...gap, lastId });
      this.doubt(first);
      await this.sendHeld();
      if (signal.aborted || (this.held.length === 0 && isConnected())) return;
      if (!isConnected()) await clock.sleep(pollMs, signal);
    }
  }

  /** Drops what is held where the exchange was asked for what comes before `first`, and has not come so far. */
  private doubt(first: number | undefined): void {
    if (this.next >= this.doubtedFrom) this.doubtedFrom = Infinity;
    if (first === undefined || this.next >= first || this.tools.signal.aborted) return;
    this.doubtedFrom = first;
    this.dropHeld(this.held.length);
  }

  /** What arrived meanwhile, as far as it follows on what was fetched. */
  private async sendHeld(): Promise<void> {
    const { queue, room } = this.tools;
    for (;;) {
      this.dropHeld(this.held.findIndex(({ aggTradeId }) => aggTradeId >= this.next));
      const jumpAt = this.held.findIndex(({ aggTradeId }, index) => aggTradeId !== this.next + index);
      const ticks = this.held.splice(0, Math.min(sendAtMost, jumpAt === -1 ? this.held.length : jumpAt));
      if (ticks.length === 0) return;
      const hasRoom = await queue.reserve(ticks.length);
      room.giveBack(ticks.length);
      if (!hasRoom) return;
      queue.put(ticks);
      this.tools.progress.sawNewest(this.symbol, ticks.at(-1)?.eventTime ?? 0);
      this.next += ticks.length;
    }
  }

  private hold(tick: Tick): void {
    const newest = this.held.at(-1)?.aggTradeId ?? -1;
    // A repeat, or one that was overtaken: it is fetched with the gap that it lies in.
    if (tick.aggTradeId <= newest) return;
    if (this.tools.room.take()) this.held.push(tick);
    else this.dropHeld(this.held.length);
  }

  private dropHeld(count: number): void {
    const dropped = count === -1 ? this.held.length : count;
    this.held.splice(0, dropped);
    this.tools.room.giveBack(dropped);
  }
}
