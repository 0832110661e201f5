/** A minute bar of ours; amounts are exact decimal texts, ids and counts fit a double exactly. */
export interface Bar {
  readonly source: string;
  readonly symbol: string;
  /** Epoch ms. */
  readonly windowStart: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly quoteVolume: string;
  readonly tradeCount: number;
  readonly takerBuyVolume: string;
  readonly takerBuyQuoteVolume: string;
  readonly takerBuyTradeCount: number;
  readonly firstAggTradeId: number;
  readonly lastAggTradeId: number;
  readonly firstTradeId: number;
  readonly lastTradeId: number;
  readonly isFinal: boolean;
}

/** A range of ids that is missing inside the coverage; both ends belong to it. */
export interface Hole {
  readonly source: string;
  readonly symbol: string;
  readonly firstId: number;
  readonly lastId: number;
}

export interface SymbolFreshness {
  readonly source: string;
  readonly symbol: string;
  /** Times in epoch ms; undefined where there is none yet. */
  readonly newestTradeAt: number | undefined;
  readonly newestFinalBarAt: number | undefined;
  readonly holes: number;
  readonly missingIds: number;
  /** The first id of the first hole. */
  readonly firstMissingId: number | undefined;
}

/** The last committed offsets of a query of the job, in the newest generation of its checkpoint: what of the topic is done. */
export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to be counted. */
  readonly next: bigint;
  /** How long ago the query has committed its newest batch of this topic, by the database's own clock. */
  readonly ageMs: number;
}

/** A closed range of aggregate trade ids. */
export interface IdRange {
  readonly firstId: number;
  readonly lastId: number;
}

/** What is counted of one symbol, as of one moment. */
export interface SymbolCoverage {
  readonly symbol: string;
  /** In order; two neighbours always have a hole between them. */
  readonly ranges: readonly IdRange[];
  /** The time of the trade with the highest id, epoch ms; undefined where that trade is not kept any more. */
  readonly newestTradeAt: number | undefined;
}

/** Everything the warehouse knows about the bars of one symbol in a range of time, as of one moment. */
export interface BarEvidence {
  /** In order of time. */
  readonly bars: readonly Bar[];
  /** The symbol's whole coverage, in order; two neighbours always have a hole between them. */
  readonly coverage: readonly IdRange[];
  /** The last trade id of the bar right before the range, and the first of the bar right after it. */
  readonly lastIdBefore: number | undefined;
  readonly firstIdAfter: number | undefined;
}

/** When the bars of one UTC day start, epoch ms. */
export interface BarDay {
  readonly firstBarAt: number;
  readonly lastBarAt: number;
}

/** What the warehouse holds; read by `verify`, `heal`, `status` and `demo`. */
export interface BarStore {
  symbols(source: string): Promise<string[]>;
  /** Bars whose window starts in [from, to), in order of time. */
  bars(query: {
    readonly source: string;
    readonly symbol: string;
    readonly from: number;
    readonly to: number;
  }): Promise<Bar[]>;
  /** The bars with what proves them, read in one snapshot; a missing end of the range means all there are. */
  evidence(query: {
    readonly source: string;
    readonly symbol: string;
    readonly from?: number | undefined;
    readonly to?: number | undefined;
  }): Promise<BarEvidence>;
  /** In order of the symbols' names; a symbol of which nothing is counted is left out. */
  coverage(source: string): Promise<SymbolCoverage[]>;
  /** The first and the last bar of each UTC day that has any, as epoch ms; in order of time. */
  barDays(query: {
    readonly source: string;
    readonly symbol: string;
    readonly from?: number | undefined;
    readonly to?: number | undefined;
  }): Promise<BarDay[]>;
  holes(source?: string): Promise<Hole[]>;
  freshness(): Promise<SymbolFreshness[]>;
  committedOffsets(query: string): Promise<CommittedOffset[]>;
}

/** Whether the server behind the warehouse takes writes. */
export interface WarehouseState {
  /** In recovery: it follows a primary. */
  readonly isStandby: boolean;
  /** Transactions are read-only by default. */
  readonly isReadOnly: boolean;
}

/** The schema of the warehouse: numbered migrations. */
export interface Schema {
  /** Applies what is missing, in one transaction each; returns the names that were applied. */
  migrate(): Promise<string[]>;
  /** The names that `migrate` would apply; changes nothing. */
  pending(): Promise<string[]>;
  /** Answers when the server does: the newest applied migration, or undefined where there is no schema. */
  version(): Promise<string | undefined>;
  /** Lets `crypto_reader`, the role that can only read, log in with this password; any number of times. */
  letReaderIn(password: string): Promise<void>;
}
