import type { MetTrade } from '../fault-log.js';

/** How long messages that are to be reordered are held at most, should no more come. */
const LONGEST_HOLD_MS = 1_000;

type Disturbance =
  | { readonly kind: 'drop' | 'double' | 'reorder'; readonly count: number; readonly met: MetTrade[] }
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
    else if (fault.kind === 'double') {
      this.write(text);
      this.write(text);
    }
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
