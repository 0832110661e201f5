import type { Clock } from '../../core/ports/clock.js';
import type { CleanEnd } from '../../core/clean-end.js';
import type { Cursor, TickSink } from '../../core/ports/topic.js';
import type { ProgressCounter } from '../../core/produce-progress.js';
import type { TickQueue } from './tick-queue.js';

export interface SendTools {
  readonly sink: Pick<TickSink, 'send' | 'sendRejected' | 'writeCursors'>;
  readonly clock: Clock;
  readonly queue: TickQueue;
  readonly progress: ProgressCounter;
  readonly feed: string;
  /** Ticks of one request to Kafka. */
  readonly batchSize: number;
  /** Cursors are written at most this often, ms. */
  readonly cursorIntervalMs: number;
  /** Asked when all is sent: how the producer ends; undefined where something has failed. */
  readonly endedBy: () => CleanEnd | undefined;
}

/**
 * Sends what the queue gives, one request at a time, until it is closed and empty; then writes the last cursors.
 *
 * A cursor is written only for what is acknowledged, and only where it has changed; the last ones also tell how it ended.
 */
export async function sendAll(tools: SendTools): Promise<void> {
  const { clock, progress, queue, sink } = tools;
  const cursors = new CursorWriter(tools);
  let isNudgeDue = false;
  const nudgeIn = async (ms: number): Promise<void> => {
    if (isNudgeDue) return;
    isNudgeDue = true;
    await clock.sleep(ms);
    isNudgeDue = false;
    queue.nudge();
  };
  for (;;) {
    const pages = await queue.take(tools.batchSize);
    const rejected = queue.takeRejected();
    await sink.sendRejected(rejected);
    queue.release(rejected.length);
    if (pages === undefined) break;
    const ticks = pages.flat();
    await sink.send(ticks);
    for (const page of pages) progress.acknowledged(page, clock.now());
    queue.release(ticks.length);
    const early = cursors.writtenAt + tools.cursorIntervalMs - clock.now();
    if (early > 0) {
      // A live stream gives a few ticks at a time; the nudge writes their cursor where nothing follows.
      void nudgeIn(early);
      continue;
    }
    await cursors.writeChanged();
  }
  await cursors.writeLast(tools.endedBy());
}

class CursorWriter {
  /** Epoch ms. */
  writtenAt = 0;
  private readonly written = new Map<string, number>();

  constructor(private readonly tools: Pick<SendTools, 'sink' | 'clock' | 'progress' | 'feed'>) {}

  async writeChanged(): Promise<void> {
    await this.write(this.all().filter(({ symbol, aggTradeId }) => this.written.get(symbol) !== aggTradeId));
  }

  async writeLast(endedBy: CleanEnd | undefined): Promise<void> {
    if (endedBy === undefined) return this.writeChanged();
    await this.write(this.all().map((cursor) => ({ ...cursor, endedBy })));
  }

  private all(): Cursor[] {
    const { progress, clock, feed } = this.tools;
    const writtenAt = clock.now();
    return progress.lastAcknowledged().map(({ source, symbol, aggTradeId, eventTime }) => ({
      ...{ source, symbol, feed, aggTradeId, eventTime, writtenAt },
    }));
  }

  private async write(cursors: readonly Cursor[]): Promise<void> {
    if (cursors.length === 0) return;
    await this.tools.sink.writeCursors(cursors);
    this.writtenAt = this.tools.clock.now();
    for (const { symbol, aggTradeId } of cursors) this.written.set(symbol, aggTradeId);
  }
}
