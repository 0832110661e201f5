/** The trades of one UTC day in the warehouse. */
export interface TradeDay {
  /** `2024-08-08`. */
  readonly day: string;
  readonly rows: number;
  readonly sizeBytes: number;
}

/** The days of trades that the warehouse has; bars and coverage are no part of them. */
export interface TradeDays {
  /** Whole days before `day` (`2024-08-08`), oldest first. */
  before(day: string): Promise<TradeDay[]>;
  /**
   * Drops all trades of a day at once, beside a stream that writes; false where they are gone already.
   * @throws UnreachableError where somebody reads the trades for longer than a few seconds.
   */
  drop(day: string): Promise<boolean>;
}
