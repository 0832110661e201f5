import { UnreachableError } from '../core/errors.js';
import type { Gap } from '../core/gap.js';
import type { Clock } from '../core/ports/clock.js';
import type { Outages } from '../core/outages.js';
import type { CleanEnd } from '../core/clean-end.js';
import type { Produced, TickSink, Topics } from '../core/ports/topic.js';
import { ProgressCounter, type ProduceProgress } from '../core/produce-progress.js';
import type { ProducerIdentity } from '../core/producer-heartbeat.js';
import type { StartPoint } from '../core/start-point.js';
import { SymbolProblems, type ProblemListener } from '../core/symbol-problems.js';
import type { Feed } from './produce/feed.js';
import { Heartbeats } from './produce/heartbeats.js';
import { patientSink } from './produce/patient-sink.js';
import { sendAll } from './produce/send.js';
import type { SymbolStart } from './produce/start.js';
import { findStarts } from './produce/starts.js';
import { watchSymbols } from './produce/symbol-watch.js';
import { TickQueue } from './produce/tick-queue.js';

export interface ProducePorts {
  readonly feed: Feed;
  readonly topics: Pick<Topics, 'produced'>;
  readonly sink: TickSink;
  readonly clock: Clock;
  readonly outages: Outages;
}

export interface ProduceOptions {
  readonly symbols: readonly string[];
  readonly from: StartPoint;
  readonly ignoreCursor: boolean;
  readonly progressIntervalMs: number;
  readonly identity: ProducerIdentity;
  /** For how long Kafka may be gone before the command gives up, ms; Infinity where it runs until it is stopped. */
  readonly giveUpAfterMs: number;
  /** Aborted by Ctrl-C: what is fetched is still sent, within ten seconds. */
  readonly signal: AbortSignal;
  /** Ticks that are held at most: asked for, fetched or being sent. */
  readonly capacity?: number;
  readonly batchSize?: number;
}

/** Told of what happens while it happens; what it prints is no concern of the command. */
export interface ProduceWatch {
  readonly onStart: (start: SymbolStart) => void;
  readonly onProgress: (progress: ProduceProgress) => void;
  /** A symbol has a problem, or no longer has it; the others go on. */
  readonly onProblem: ProblemListener;
  /** Kafka has acknowledged what the stream lacked. */
  readonly onGap: (gap: Gap) => void;
}

export interface ProduceSummary extends ProduceProgress {
  readonly ended: 'caught up' | 'stopped';
  readonly seconds: number;
}

/** Measured: kafkajs sorts a request by partition in time that grows with its square; 2,000 cost a fifth more CPU per tick. */
const defaultBatchSize = 1000;
const cursorIntervalMs = 1000;
/** About 20 MB of ticks. */
const defaultCapacity = 64_000;
const flushMs = 8000;
const heartbeatMs = 10_000;

/**
 * Brings what the feed gives of the symbols into the topic, in order of id, from where Kafka has acknowledged on, until the
 * signal aborts or the feed is at its end.
 *
 * @throws whatever the sink throws: then nothing is sent after what failed. What the feed throws ends it too, but only
 * after everything fetched before is sent.
 */
export async function produce(
  ports: ProducePorts,
  options: ProduceOptions,
  watch: ProduceWatch,
): Promise<ProduceSummary> {
  const { clock, sink } = ports;
  const startedAt = clock.now();
  const problems = new SymbolProblems(watch.onProblem);
  const progress = new ProgressCounter(options.symbols, startedAt, watch.onGap, problems);
  try {
    const onStart = (start: SymbolStart): void => {
      progress.answered(start.symbol, clock.now());
      if (start.newest !== undefined) progress.sawNewest(start.symbol, start.newest.eventTime);
      if (start.cursor !== undefined) progress.resumed(start.cursor);
      watch.onStart(start);
    };
    const begun = await unlessAborted(findStarts(ports, options, { progress, onStart }), options.signal);
    if (begun !== undefined) await run(ports, options, { ...begun, progress, watch, startedAt });
    return {
      ...progress.at(clock.now()),
      ended: options.signal.aborted ? 'stopped' : 'caught up',
      seconds: (clock.now() - startedAt) / 1000,
    };
  } finally {
    await sink.close();
  }
}

/** Undefined as soon as the signal aborts: nothing is sent yet, so nothing is left to flush. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

interface Run {
  readonly starts: readonly SymbolStart[];
  readonly produced: Produced;
  readonly progress: ProgressCounter;
  readonly watch: ProduceWatch;
  readonly startedAt: number;
}

async function run(
  ports: ProducePorts,
  options: ProduceOptions,
  { starts, produced, progress, watch, startedAt }: Run,
): Promise<void> {
  const { clock, feed, outages } = ports;
  const queue = new TickQueue(options.capacity ?? defaultCapacity);
  const fetching = new AbortController();
  const ended = new AbortController();
  const onStop = (): void => fetching.abort(options.signal.reason);
  options.signal.addEventListener('abort', onStop, { once: true });
  fetching.signal.addEventListener('abort', () => queue.refuse(), { once: true });
  if (options.signal.aborted) onStop();
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => {
    // After an abort every call fails, and says nothing new.
    if (fetching.signal.aborted) return;
    failures.push(error);
    fetching.abort(error);
  };
  const sink = patientSink(ports.sink, {
    ...{ clock, outages, giveUpAfterMs: options.giveUpAfterMs, signal: ended.signal },
  });
  const { identity } = options;
  const heartbeats = new Heartbeats({ sink, clock, outages, progress, feed, identity, startedAt });
  const endedBy = (): CleanEnd | undefined =>
    failures.length > 0 ? undefined : options.signal.aborted ? 'order' : 'caught up';
  const fetched = feed
    .run(starts, { queue, progress, clock, signal: fetching.signal, onFailure })
    .catch(onFailure)
    .finally(() => queue.close());
  const send = async (): Promise<void> => {
    await heartbeats.begin(produced.producers);
    await sendAll({
      ...{ sink, clock, queue, progress, feed: feed.name, cursorIntervalMs, endedBy },
      batchSize: options.batchSize ?? defaultBatchSize,
    });
    const end = endedBy();
    if (end !== undefined) await heartbeats.end(end);
  };
  const sent = send().catch((error: unknown) => {
    if (ended.signal.aborted) return;
    failures.unshift(error);
    fetching.abort(error);
  });
  const tickers = [
    watchSymbols(
      { clock, progress, feed },
      starts.map(({ symbol }) => symbol),
      ended.signal,
    ),
    every(clock, options.progressIntervalMs, ended.signal, () => watch.onProgress(progress.at(clock.now()))),
    every(clock, heartbeatMs, ended.signal, () => void heartbeats.beat()),
  ];
  try {
    await Promise.race([Promise.all([fetched, sent]), flushDeadline(clock, options.signal, ended.signal)]);
  } finally {
    ended.abort();
    options.signal.removeEventListener('abort', onStop);
    await Promise.all(tickers);
  }
  if (failures.length > 0) throw failures[0];
}

async function every(clock: Clock, ms: number, end: AbortSignal, act: () => void): Promise<void> {
  for (;;) {
    await clock.sleep(ms, end);
    if (end.aborted) return;
    act();
  }
}

/** Rejects when Ctrl-C was so long ago that the flush must have failed; never resolves. */
function flushDeadline(clock: Clock, stop: AbortSignal, end: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onStop = async (): Promise<void> => {
      await clock.sleep(flushMs, end);
      if (end.aborted) return;
      reject(
        new UnreachableError(`Kafka did not acknowledge the last trades within ${flushMs / 1000} s`, {
          nextStep: 'Nothing is lost: the next start goes on from the last acknowledged trade.',
        }),
      );
    };
    if (stop.aborted) void onStop();
    else stop.addEventListener('abort', () => void onStop(), { once: true });
  });
}
