import type { Outages } from '../../core/outages.js';
import type { Clock } from '../../core/ports/clock.js';
import type { CleanEnd } from '../../core/clean-end.js';
import type { ProduceProgressReader } from '../../core/produce-progress.js';
import { replacedBy, type ProducerHeartbeat, type ProducerIdentity } from '../../core/producer-heartbeat.js';
import type { Feed } from './feed.js';
import type { PatientSink } from './patient-sink.js';

interface HeartbeatTools {
  readonly sink: Pick<PatientSink, 'writeHeartbeat'>;
  readonly clock: Clock;
  readonly outages: Pick<Outages, 'current'>;
  readonly progress: ProduceProgressReader;
  readonly feed: Pick<Feed, 'name' | 'source'>;
  readonly identity: ProducerIdentity;
  readonly startedAt: number;
}

/** Writes that the producer runs, and what it has of each symbol. While one cannot be written no other is begun. */
export class Heartbeats {
  private isWriting = false;

  constructor(private readonly tools: HeartbeatTools) {}

  /** The first one; it removes those that it replaces. */
  async begin(before: readonly ProducerHeartbeat[]): Promise<void> {
    const first = this.now();
    await this.tools.sink.writeHeartbeat(first, replacedBy(first, before));
  }

  /** @throws nothing: what is wrong with Kafka, the trades' own call tells. */
  async beat(): Promise<void> {
    if (this.isWriting) return;
    this.isWriting = true;
    await this.tools.sink.writeHeartbeat(this.now()).catch(() => undefined);
    this.isWriting = false;
  }

  async end(endedBy: CleanEnd): Promise<void> {
    await this.tools.sink.writeHeartbeat({ ...this.now(), endedBy });
  }

  private now(): ProducerHeartbeat {
    const { clock, feed, identity, outages, progress, startedAt } = this.tools;
    return {
      ...identity,
      ...{ feed: feed.name, source: feed.source, startedAt, writtenAt: clock.now() },
      ...{ outages: outages.current, symbols: progress.producedAt(clock.now()) },
    };
  }
}
