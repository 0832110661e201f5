import type { Clock } from '../../core/ports/clock.js';
import type { CleanEnd, TickSink } from '../../core/ports/topic.js';
import type { ProgressCounter } from '../../core/produce-progress.js';
import type { TickQueue } from './tick-queue.js';

export interface SendTools {
  readonly sink: TickSink;
  readonly clock: Clock;
  readonly queue: TickQueue;
  readonly progress: ProgressCounter;
  readonly feed: string;
  /** Ticks of one request to Kafka. */
  readonly batchSize: number;
  /** While there is more to send, cursors are written at most this often. */
  readonly cursorIntervalMs: number;
  /** Asked when all is sent: how the producer ends; undefined where something has failed. */
  readonly endedBy: () => CleanEnd | undefined;
}

/**
 * Sends what the queue gives, one request at a time, until it is closed and empty; then writes the last cursors.
 *
 * A cursor is written only for what is acknowledged. It is written again, with a new time, whenever the queue is nudged: its age
 * says that the producer is alive although the market is quiet.
 */
export async function sendAll(tools: SendTools): Promise<void> {
  const { clock, progress, queue, sink } = tools;
  let writtenAt = 0;
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
    const early = writtenAt + tools.cursorIntervalMs - clock.now();
    if (early > 0) {
      // A live stream gives a few ticks at a time; the nudge writes their cursor where nothing follows.
      void nudgeIn(early);
      continue;
    }
    await writeCursors(tools);
    writtenAt = clock.now();
  }
  await writeCursors(tools, tools.endedBy());
}

async function writeCursors({ sink, clock, progress, feed }: SendTools, endedBy?: CleanEnd): Promise<void> {
  const writtenAt = clock.now();
  await sink.writeCursors(
    progress.lastAcknowledged().map(({ source, symbol, aggTradeId, eventTime }) => ({
      source,
      symbol,
      feed,
      aggTradeId,
      eventTime,
      writtenAt,
      ...(endedBy === undefined ? {} : { endedBy }),
    })),
  );
}
