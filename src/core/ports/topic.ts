import type { CleanEnd } from '../clean-end.js';
import type { ProducerHeartbeat } from '../producer-heartbeat.js';
import type { RejectedRow } from '../rejected-row.js';
import type { Tick } from '../tick.js';

/** Where a feed of one symbol stands: the last id that Kafka has acknowledged. */
export interface Cursor {
  readonly source: string;
  readonly symbol: string;
  /** `poll`, later `stream`, `ticker`, `archive:<range>`. */
  readonly feed: string;
  readonly aggTradeId: number;
  /** The trade's own time, epoch ms. */
  readonly eventTime: number;
  /** When the cursor was written, epoch ms. It is written when the id changes; whether its producer runs, a heartbeat tells. */
  readonly writtenAt: number;
  /** Set in the last cursor of a producer that ended as it should; absent while it runs, and for ever where it died. */
  readonly endedBy?: CleanEnd | undefined;
}

export interface PartitionOffset {
  readonly partition: number;
  /** The oldest offset still there and the next one to be written. */
  readonly earliest: bigint;
  readonly latest: bigint;
}

/** What the producers have written of themselves, the newest of each key. */
export interface Produced {
  /** Of each source, symbol and feed. */
  readonly cursors: readonly Cursor[];
  readonly producers: readonly ProducerHeartbeat[];
}

/** Sends ticks; resolves only when every replica that must has acknowledged all of them. */
export interface TickSink {
  /** Connects, and sees that the topics are there, before anything is fetched for them. */
  open(): Promise<void>;
  /** @throws UnreachableError after its own retries: nothing was skipped, but the last call may be repeated. */
  send(ticks: readonly Tick[]): Promise<void>;
  /** Rows that are no trades, into the topic of trades: the job rejects and stores them. As `send`. */
  sendRejected(rows: readonly RejectedRow[]): Promise<void>;
  writeCursors(cursors: readonly Cursor[]): Promise<void>;
  /** Also removes the heartbeats of `replaced`. */
  writeHeartbeat(heartbeat: ProducerHeartbeat, replaced?: readonly ProducerHeartbeat[]): Promise<void>;
  close(): Promise<void>;
}

/** The topics themselves: made by `init`, asked by `status`, read back by `produce` for its cursors. */
export interface Topics {
  /** Makes what is missing, leaves what is there; returns one line per topic on what was done, or would be. */
  ensure(options?: { readonly isDryRun?: boolean }): Promise<string[]>;
  offsets(topic: string, signal?: AbortSignal): Promise<PartitionOffset[]>;
  /** Empty where the topic is empty or missing. What is open for it is closed when the signal aborts. */
  produced(signal?: AbortSignal): Promise<Produced>;
  close(): Promise<void>;
}
