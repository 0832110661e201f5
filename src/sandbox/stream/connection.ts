import type { WebSocket } from 'ws';
import type { TimeScale } from '../answers.js';
import type { MetTrade } from '../fault-log.js';
import { answerControl, type Subscriptions } from './control.js';
import { SHUTDOWN_STREAM, shutdownPayload, wrapped } from './messages.js';
import { Outbox } from './outbox.js';
import { MessageLimit } from './rolling-limit.js';
import type { StreamFault } from './stream-fault.js';
import type { StreamTarget } from './stream-names.js';
import type { DueTrade } from './trade-pump.js';

/** How long things take on a connection; the exchange's own are in `usualTimes`. */
export interface StreamTimes {
  readonly pingEveryMs: number;
  readonly pongWithinMs: number;
  readonly lifetimeMs: number;
  readonly tickMs: number;
}

export const usualTimes: StreamTimes = {
  pingEveryMs: 20_000,
  pongWithinMs: 60_000,
  lifetimeMs: 24 * 3_600_000,
  tickMs: 20,
};

/** So much may wait for a client that reads too slowly; then it is cut. */
const LARGEST_BACKLOG = 16_000_000;

/** One client's connection: its streams, its pings and its end. */
export class Connection implements Subscriptions {
  isCombined: boolean;
  private readonly scale: TimeScale;
  private readonly streams = new Set<string>();
  private readonly limit = new MessageLimit();
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly outbox: Outbox;
  private isEnding = false;
  private lastPong = Date.now();
  private lastPing = '';

  constructor(
    private readonly socket: WebSocket,
    target: StreamTarget,
    private readonly options: {
      readonly times: StreamTimes;
      /** Epoch ms on the exchange. */
      readonly now: () => number;
      /** Called before a stream is added and after one is taken away. */
      readonly onChange: () => void;
    },
  ) {
    this.isCombined = target.isCombined;
    this.scale = target.scale;
    for (const stream of target.streams) this.streams.add(stream);
    this.outbox = new Outbox((text) => this.write(text));
    this.listen();
    const { pingEveryMs, lifetimeMs } = options.times;
    this.timers.push(setInterval(() => this.ping(), pingEveryMs));
    this.timers.push(setTimeout(() => this.goAway(), lifetimeMs));
  }

  list(): readonly string[] {
    return [...this.streams];
  }

  has(stream: string): boolean {
    return this.streams.has(stream);
  }

  add(stream: string): void {
    this.streams.add(stream);
  }

  remove(stream: string): void {
    this.streams.delete(stream);
  }

  /** Whether a fault can meet it: it has streams, is not ending, and no other fault is at work on it. */
  get isFree(): boolean {
    return this.streams.size > 0 && !this.isEnding && !this.outbox.isDisturbed;
  }

  /** Sends a trade of a stream, wrapped where that was asked for; `payload` makes it in the connection's time unit. */
  deliver(stream: string, { symbol, trade, payload }: DueTrade): void {
    this.outbox.sendTrade(this.inForm(stream, payload(this.scale)), { symbol, id: trade.id });
  }

  /** Lets a fault work on it; the trades that it meets are listed in `met`. */
  suffer(fault: StreamFault, met: MetTrade[]): void {
    switch (fault.stream) {
      case 'drop':
      case 'double':
      case 'reorder':
      case 'unreadable':
      case 'far-id':
        this.outbox.disturb({ kind: fault.stream, count: fault.count, met });
        return;
      case 'silence':
        this.outbox.disturb({ kind: 'silence', until: Date.now() + fault.seconds * 1_000 });
        return;
      case 'close':
        this.isEnding = true;
        if (fault.code === 1006) this.socket.terminate();
        else this.socket.close(fault.code, fault.code === 1008 ? 'Too many requests' : 'Going away');
        return;
      case 'shutdown':
        this.shutDown(fault.afterSeconds * 1_000);
        return;
      case 'cut':
        this.isEnding = true;
        this.timers.push(setTimeout(() => this.goAway(), fault.afterSeconds * 1_000));
    }
  }

  /** Says that it is going to end, and ends it after so many ms with code 1001. */
  shutDown(afterMs: number): void {
    this.isEnding = true;
    this.outbox.send(this.inForm(SHUTDOWN_STREAM, shutdownPayload(this.options.now(), this.scale)));
    this.timers.push(setTimeout(() => this.goAway(), afterMs));
  }

  /** Which code ends a connection that is a day old is not documented; this one is assumed. */
  private goAway(): void {
    this.isEnding = true;
    this.socket.close(1001, 'Going away');
  }

  private inForm(stream: string, payload: string): string {
    return this.isCombined ? wrapped(stream, payload) : payload;
  }

  private write(text: string): void {
    if (this.socket.bufferedAmount > LARGEST_BACKLOG) this.socket.terminate();
    else this.socket.send(text);
  }

  terminate(): void {
    this.socket.terminate();
  }

  private listen(): void {
    this.socket.on('error', () => {
      // A broken frame: `ws` closes the connection itself.
    });
    this.socket.on('message', (data: Buffer) => {
      if (!this.count()) return;
      this.options.onChange();
      this.outbox.send(answerControl(data.toString('utf8'), this));
      this.options.onChange();
    });
    this.socket.on('ping', (data) => {
      if (this.count() && !this.outbox.isSilent) this.socket.pong(data);
    });
    this.socket.on('pong', (data) => {
      // A pong that nobody asked for is allowed, and proves nothing.
      if (this.count() && data.toString('utf8') === this.lastPing) this.lastPong = Date.now();
    });
    this.socket.on('close', () => {
      for (const timer of this.timers) clearTimeout(timer);
      this.outbox.end();
    });
  }

  /** Counts a message of the client; false where it was one too many, and closes the connection then. */
  private count(): boolean {
    const isAllowed = this.limit.take(Date.now());
    if (!isAllowed) this.socket.close(1008, 'Too many requests');
    return isAllowed;
  }

  private ping(): void {
    const { pongWithinMs, pingEveryMs } = this.options.times;
    // The first ping goes out after `pingEveryMs`, so that long more may pass since the last pong.
    if (Date.now() - this.lastPong > pongWithinMs + pingEveryMs) this.socket.terminate();
    else if (!this.outbox.isSilent) {
      this.lastPing = String(Date.now());
      this.socket.ping(this.lastPing);
    }
  }
}
