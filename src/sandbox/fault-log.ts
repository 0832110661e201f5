import { kindOf, type Fault, type Origin } from './fault.js';
import type { Met } from './timed-fault.js';

const MOST_ENTRIES = 10_000;

/** A trade whose message a fault met. */
export interface MetTrade {
  readonly symbol: string;
  readonly id: number;
}

/** A fault that took place. */
export interface LoggedFault {
  /** Epoch ms of the real clock. */
  readonly at: number;
  readonly by: Origin;
  readonly kind: string;
  readonly fault: Fault;
  /** The path of the request that it met. */
  readonly path?: string;
  /** The number of the connection that it met, from 1 on. */
  readonly connection?: number;
  /** The messages that it met so far. */
  readonly trades?: MetTrade[];
  /** The requests and connects that a fault with a duration met so far. */
  readonly met?: Met;
}

/** What went wrong so far, oldest first; the newest 10,000 are kept, all are counted. */
export class FaultLog {
  private readonly entries: LoggedFault[] = [];
  private readonly counts = new Map<string, number>();

  add(entry: Omit<LoggedFault, 'at' | 'kind'>): void {
    const kind = kindOf(entry.fault);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.entries.push({ at: Date.now(), kind, ...entry });
    if (this.entries.length > MOST_ENTRIES) this.entries.shift();
  }

  summary(): { readonly counts: Record<string, number>; readonly entries: readonly LoggedFault[] } {
    return { counts: Object.fromEntries(this.counts), entries: this.entries };
  }
}
