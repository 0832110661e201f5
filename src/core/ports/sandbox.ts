/** A stretch without trading and without klines; epoch ms of whole minutes, `to` not included. */
export interface Halt {
  readonly from: number;
  readonly to: number;
}

/** What is out of the ordinary on a generated tape; all of it follows from the seed but the halts that are named. */
export interface TapeOddities {
  /** 735 trades in one millisecond, in about every fourth minute that has twice as many. */
  readonly hasBursts: boolean;
  /** About one row in 300 is neutralised: it keeps its id, and has raw ids -1, no price and no quantity. */
  readonly hasNeutralised: boolean;
  /** In every 16 minutes a symbol does not trade for one or two. */
  readonly hasHalts: boolean;
  /** Halts of every symbol at these times. */
  readonly halts: readonly Halt[];
}

/** A tape made from a seed: endless, and the same trades at the same time in every process that has the seed. */
export interface GeneratedTapeChoice {
  readonly kind: 'generated';
  readonly symbols: readonly string[];
  readonly seed: string;
  /** Aggregate trades a second and symbol, on average over 16 minutes. */
  readonly ratePerSecond: number;
  /** Where the tape begins: so long ago, rounded down to a whole minute, or at a time (epoch ms). */
  readonly begin: { readonly historyMinutes: number } | { readonly time: number };
  readonly oddities?: TapeOddities;
}

/** A tape from files in the exchange's archive format, `SYMBOL-aggTrades-….csv`, `.csv.gz` or `.zip`. */
interface RecordedTapeChoice {
  readonly kind: 'recorded';
  readonly files: readonly string[];
  /** How many times faster than at their own times, from the first trade on; or all of it is there at once. */
  readonly speed: number | 'all-at-once';
}

/** Faults that come by themselves: kinds, order and sizes follow from the seed. */
export interface Chaos {
  readonly seed: string;
  /** On average. */
  readonly faultsPerMinute: number;
}

/** What the archive of the tape is like; without holes and only of days that are over, where nothing is said. */
export interface ArchiveChoice {
  /** Stretches of 1 to 600 ids that each file of trades lacks. */
  readonly holesPerDay: number;
  /** True has a file of the day that has begun too, as far as the tape went when it was first asked for. */
  readonly hasToday: boolean;
}

export interface SandboxOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Names under which it is called beside its address and those of loopback. */
  readonly allowedHosts?: readonly string[];
  readonly tape: GeneratedTapeChoice | RecordedTapeChoice;
  /** Files `SYMBOL-INTERVAL-….csv`, `.csv.gz` or `.zip`: closed klines that replace the computed ones. */
  readonly klineFiles: readonly string[];
  /** False lifts the limits on requests and on connects; the used weight is reported all the same. */
  readonly hasRequestLimit: boolean;
  /** How long a stream connection lives; a day, as on the exchange, where nothing is said. */
  readonly streamLifetimeMs?: number;
  /** Short faults by themselves. */
  readonly chaos?: Chaos;
  readonly archive?: ArchiveChoice;
  /** Told of what is a bug of the sandbox itself; the client got an answer 500. */
  readonly onBug: (error: unknown) => void;
}

export interface RunningSandbox {
  readonly url: string;
  readonly symbols: readonly string[];
  /** Ends every connection; safe to call twice. */
  close(): Promise<void>;
}

export interface TapeFileOptions {
  readonly symbol: string;
  readonly seed: string;
  readonly ratePerSecond: number;
  /** Epoch ms. */
  readonly begin: number;
  readonly oddities?: TapeOddities;
  readonly trades: number;
  readonly file: string;
  readonly signal: AbortSignal;
}

export interface WrittenTape {
  readonly file: string;
  readonly trades: number;
  readonly firstId: number;
  readonly lastId: number;
  /** Epoch ms. */
  readonly firstTime: number;
  readonly lastTime: number;
}

/** The stand-in exchange. */
export interface SandboxFactory {
  /** @throws ConfigError when the port is taken or a file is wrong (file and line are named). */
  start(options: SandboxOptions): Promise<RunningSandbox>;
  /** Writes a part of a generated tape in archive format; `.csv` or `.csv.gz`. */
  writeTape(options: TapeFileOptions): Promise<WrittenTape>;
}
