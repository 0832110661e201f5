/** Why trades did not come by themselves. */
export type GapReason = 'start' | 'reconnect' | 'jump' | 'silence' | 'back-pressure';

/** Trades that the stream did not bring, and that were fetched by id; both ends belong to it. */
export interface OpenGap {
  readonly symbol: string;
  readonly why: GapReason;
  readonly firstId: number;
  readonly lastId: number;
  /** When it was found, epoch ms. */
  readonly openedAt: number;
}

export interface Gap extends OpenGap {
  /** When Kafka had acknowledged the last of its trades, epoch ms. */
  readonly filledAt: number;
}

/** The gaps of one producer, from their finding until Kafka has acknowledged what they lacked. */
export class GapBook {
  private open: OpenGap[] = [];
  private readonly counts = new Map<string, { gaps: number; ids: number }>();

  /** Fetched and on its way to Kafka. */
  add(gap: OpenGap): void {
    this.open.push(gap);
  }

  /** Kafka has everything of this symbol up to this id; returns the gaps that are filled by it. */
  acknowledged(symbol: string, lastId: number, at: number): Gap[] {
    if (this.open.length === 0) return [];
    const isFilled = (gap: OpenGap): boolean => gap.symbol === symbol && gap.lastId <= lastId;
    const filled = this.open.filter(isFilled).map((gap) => ({ ...gap, filledAt: at }));
    if (filled.length === 0) return [];
    this.open = this.open.filter((gap) => !isFilled(gap));
    const { gaps, ids } = this.countOf(symbol);
    const more = filled.reduce((sum, { firstId, lastId: last }) => sum + last - firstId + 1, 0);
    this.counts.set(symbol, { gaps: gaps + filled.length, ids: ids + more });
    return filled;
  }

  /** How many gaps of a symbol were filled, and how many ids they had. */
  countOf(symbol: string): { readonly gaps: number; readonly ids: number } {
    return this.counts.get(symbol) ?? { gaps: 0, ids: 0 };
  }
}
