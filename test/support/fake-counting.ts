import type { CommittedOffset, IdRange, SymbolCoverage } from '../../src/core/ports/bars.js';
import { rangesOf } from '../../src/core/id-ranges.js';
import type { Tick } from '../../src/core/tick.js';
import type { FakeExchange } from './fake-exchange.js';
import { FakeTopic } from './fake-topic.js';

/** A topic of one partition and a job that counts what stands in it, each time it is asked; a test says what it does not. */
export class FakeCounting {
  readonly topic = new FakeTopic();
  /** Ids that the job rejects, for ever or so many times. */
  readonly rejected = new Map<number, number>();
  /** False: what is sent waits. */
  isCounting = true;
  private readonly counted = new Map<string, Set<number>>();
  private sent: Tick[] = [];
  private latest = 0;
  private next = 0;

  /** What was counted keeps its time, whatever the exchange says later. */
  private readonly tape: FakeExchange['tape'];

  constructor(exchange: FakeExchange, covered: Readonly<Record<string, readonly IdRange[]>>) {
    this.tape = { ...exchange.tape };
    for (const [symbol, ranges] of Object.entries(covered)) {
      const ids = ranges.flatMap(({ firstId, lastId }) =>
        Array.from({ length: lastId - firstId + 1 }, (_, index) => firstId + index),
      );
      this.counted.set(symbol, new Set(ids));
    }
    this.topic.onSend = (ticks) => {
      this.sent.push(...ticks);
      this.latest += ticks.length;
    };
  }

  readonly bars = {
    coverage: (): Promise<SymbolCoverage[]> => Promise.resolve(this.coverage()),
    committedOffsets: (): Promise<CommittedOffset[]> => {
      this.work();
      return Promise.resolve([{ topic: 'topic', partition: 0, next: BigInt(this.next), ageMs: 0 }]);
    },
  };

  readonly topics = {
    offsets: () => Promise.resolve([{ partition: 0, earliest: 0n, latest: BigInt(this.latest) }]),
  };

  rangesOf(symbol: string): IdRange[] {
    return rangesOf([...(this.counted.get(symbol) ?? [])].sort((one, other) => one - other));
  }

  private coverage(): SymbolCoverage[] {
    return [...this.counted.keys()].sort().map((symbol) => {
      const ranges = this.rangesOf(symbol);
      const newest = ranges.at(-1)?.lastId;
      const newestTradeAt = this.tape[symbol]?.find((tick) => tick.aggTradeId === newest)?.eventTime;
      return { symbol, ranges, newestTradeAt };
    });
  }

  private work(): void {
    if (!this.isCounting) return;
    for (const { symbol, aggTradeId } of this.sent) {
      const times = this.rejected.get(aggTradeId) ?? 0;
      if (times > 0) this.rejected.set(aggTradeId, times - 1);
      else this.counted.set(symbol, (this.counted.get(symbol) ?? new Set()).add(aggTradeId));
    }
    this.sent = [];
    this.next = this.latest;
  }
}
