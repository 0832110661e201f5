import { UnreachableError } from '../../core/errors.js';
import type { Background } from '../../core/ports/background.js';
import type { BarStore, CommittedOffset } from '../../core/ports/bars.js';
import type { Clock } from '../../core/ports/clock.js';
import type { JobRun } from '../../core/ports/runs.js';

const hourMs = 3_600_000;
/** First bars take a Spark driver, its executor and a first batch that is compiled as it runs. */
const firstBarsMs = 300_000;
/** What two symbols of the sandbox traded in an hour is counted in less. */
const perHourBehindMs = 60_000;
const pollMs = 500;

export interface FinalBarsPorts {
  readonly background: Background;
  readonly bars: BarStore;
  readonly clock: Clock;
  /** The end of a run's output, for the case that nothing comes of it. */
  readonly logTail: (run: JobRun) => Promise<string>;
  readonly say: (line: string) => void;
}

export interface WantedBars {
  readonly source: string;
  readonly symbols: readonly string[];
  /** How many final bars each symbol must have that begin from here on (epoch ms). */
  readonly count: number;
  readonly from: number;
  /** When this demo began, epoch ms: a newer trade of each symbol shows that it is caught up and live. */
  readonly startedAt: number;
  /** How far the bars were behind when it began. */
  readonly behindMs: number;
  /** What the lake held before this demo's job; a batch beyond that must have been written. */
  readonly lakeBefore: readonly CommittedOffset[];
  /** The background processes that the demo relies on. */
  readonly processes: readonly string[];
  readonly run: JobRun;
  readonly signal: AbortSignal;
}

/**
 * Waits for what this demo itself has brought: final bars, trades newer than its start, a batch in the lake.
 * @throws UnreachableError that says what is missing, when the time is over or a process on the way has ended.
 */
export async function waitForFinalBars(ports: FinalBarsPorts, wanted: WantedBars): Promise<void> {
  const { clock, background, say } = ports;
  const timeoutMs = firstBarsMs + Math.ceil((wanted.behindMs / hourMs) * perHourBehindMs);
  const seconds = Math.round(timeoutMs / 1000);
  if (wanted.behindMs > hourMs / 2)
    say(`catching up ${(wanted.behindMs / hourMs).toFixed(1)} hours; it may take up to ${seconds} s`);
  const deadline = clock.now() + timeoutMs;
  for (;;) {
    wanted.signal.throwIfAborted();
    const missing = await missingOf(ports.bars, wanted);
    if (missing.length === 0) return;
    const dead = (await background.list()).find(
      ({ name, state }) => state === 'died' && wanted.processes.includes(name),
    );
    if (dead !== undefined)
      throw new UnreachableError(`${dead.name} ended too early: ${missing.join('; ')}`, {
        nextStep: `Its log: ${dead.logPath}`,
      });
    if (clock.now() > deadline)
      throw new UnreachableError(`not everything is there after ${seconds} s: ${missing.join('; ')}`, {
        logTail: await ports.logTail(wanted.run),
        nextStep: 'Look at `cryptopipe status` and `cryptopipe logs streaming`.',
      });
    await clock.sleep(pollMs, wanted.signal);
  }
}

/** One line for each thing that is not there yet. */
async function missingOf(bars: BarStore, wanted: WantedBars): Promise<string[]> {
  const { source, from, count, startedAt } = wanted;
  const missing: string[] = [];
  const freshness = await bars.freshness();
  for (const symbol of wanted.symbols) {
    const known = (await bars.evidence({ source, symbol, from })).bars;
    const finalBars = known.filter(({ isFinal }) => isFinal).length;
    if (finalBars < count) missing.push(`${symbol} has ${finalBars} final bars of ${count}`);
    const newest = freshness.find(
      (other) => other.source === source && other.symbol === symbol,
    )?.newestTradeAt;
    if (newest === undefined || newest <= startedAt)
      missing.push(
        `${symbol} has no trade since the demo began${newest === undefined ? '' : `, the newest is of ${new Date(newest).toISOString()}`}`,
      );
  }
  if (!hasGrown(wanted.lakeBefore, await bars.committedOffsets('lake')))
    missing.push('the lake has no new batch');
  return missing;
}

const hasGrown = (before: readonly CommittedOffset[], after: readonly CommittedOffset[]): boolean =>
  after.some(
    ({ topic, partition, next }) =>
      next > (before.find((old) => old.topic === topic && old.partition === partition)?.next ?? -1n),
  );
