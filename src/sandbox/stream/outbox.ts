import type { MetTrade } from '../fault-log.js';
import { withUnreadablePrice } from '../fault-replies.js';
import type { CountedFault } from './stream-fault.js';

/** How long messages that are to be reordered are held at most, should no more come. */
const LONGEST_HOLD_MS = 1_000;

/** 7 below 2^53: a number that JSON carries and no trade will have in a thousand years. */
const FAR_ID = 9_007_199_254_740_985;

type Disturbance =
  | { readonly kind: CountedFault['stream']; readonly count: number; readonly met: MetTrade[] }
  | { readonly kind: 'silence'; readonly until: number };

/** Where the messages of a connection go out, and where faults get at them. */
export class Outbox {
  private disturbance: Disturbance | undefined;
  private held: string[] = [];
  private release: NodeJS.Timeout | undefined;

  constructor(private readonly write: (text: string) => void) {}

  /** Whether a fault has not yet met all that it shall meet. */
  get isDisturbed(): boolean {
    return this.disturbance !== undefined && (this.disturbance.kind !== 'silence' || this.isSilent);
  }

  get isSilent(): boolean {
    return this.disturbance?.kind === 'silence' && Date.now() < this.disturbance.until;
  }

  disturb(disturbance: Disturbance): void {
    this.disturbance = disturbance;
  }

  /** Sends what is no trade; only silence holds it back, for good. */
  send(text: string): void {
    if (!this.isSilent) this.write(text);
  }

  sendTrade(text: string, trade: MetTrade): void {
    const fault = this.disturbance;
    if (fault === undefined || fault.kind === 'silence') {
      this.send(text);
      return;
    }
    fault.met.push(trade);
    if (fault.kind === 'reorder') this.hold(text);
    else for (const message of changed(fault.kind, text)) this.write(message);
    if (fault.met.length >= fault.count) this.end();
  }

  /** Sends what is held back, in reverse, and forgets the fault. */
  end(): void {
    clearTimeout(this.release);
    this.release = undefined;
    this.disturbance = undefined;
    for (const text of this.held.splice(0).reverse()) this.write(text);
  }

  private hold(text: string): void {
    this.held.push(text);
    this.release ??= setTimeout(() => this.end(), LONGEST_HOLD_MS);
  }
}

/** The messages that are sent for one. */
function changed(kind: 'drop' | 'double' | 'unreadable' | 'far-id', text: string): string[] {
  switch (kind) {
    case 'drop':
      return [];
    case 'double':
      return [text, text];
    case 'unreadable':
      return [withUnreadablePrice(text)];
    case 'far-id':
      return [text, text.replace(/"a":\d+/, `"a":${FAR_ID}`)];
  }
}
