import { UnreachableError } from '../../core/errors.js';
import { findCountingRun, runProblem } from '../../core/pipeline-findings.js';
import type { BarStore, CommittedOffset, SymbolCoverage } from '../../core/ports/bars.js';
import type { Clock } from '../../core/ports/clock.js';
import type { RunBook } from '../../core/ports/runs.js';
import type { PartitionOffset, Topics } from '../../core/ports/topic.js';

export interface CountedPorts {
  readonly bars: Pick<BarStore, 'coverage' | 'committedOffsets'>;
  readonly topics: Pick<Topics, 'offsets'>;
  readonly book: Pick<RunBook, 'list'>;
  readonly clock: Clock;
}

export interface CountedOptions {
  readonly source: string;
  readonly topic: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Told of the coverage each time it is read; returns how many ids are still open. */
  readonly onCoverage: (coverage: readonly SymbolCoverage[]) => number;
}

/** `closed`: no id is open. `passed`: the job has gone past all that was sent, and ids are open. `late`: the time is over. */
export type CountedEnd = 'closed' | 'passed' | 'late';

const pollMs = 500;

/**
 * Waits until what was sent is counted, or surely not counted.
 *
 * @throws UnreachableError as soon as no streaming job runs that could count it.
 */
export async function awaitCounted(ports: CountedPorts, options: CountedOptions): Promise<CountedEnd> {
  const { bars, topics, book, clock } = ports;
  const sent = await topics.offsets(options.topic);
  const deadline = clock.now() + options.timeoutMs;
  for (;;) {
    options.signal.throwIfAborted();
    // The offsets first: what was committed by then is in the coverage that is read after it.
    const committed = (await bars.committedOffsets('hot')).filter(({ topic }) => topic === options.topic);
    if (options.onCoverage(await bars.coverage(options.source)) === 0) return 'closed';
    if (isPassed(sent, committed)) return 'passed';
    await requireCounting(book, 'What was sent stands in Kafka and is counted as soon as a job runs.');
    if (clock.now() >= deadline) return 'late';
    await clock.sleep(pollMs, options.signal);
  }
}

const isPassed = (sent: readonly PartitionOffset[], committed: readonly CommittedOffset[]): boolean =>
  sent.every(
    ({ partition, earliest, latest }) =>
      (committed.find((one) => one.partition === partition)?.next ?? earliest) >= latest,
  );

/** @throws UnreachableError where no streaming job runs, or the one that should does not live; says also what became of the trades. */
export async function requireCounting(book: Pick<RunBook, 'list'>, whatOfTrades: string): Promise<void> {
  const run = findCountingRun(await book.list({ live: true }));
  const problem = run === undefined ? 'no streaming job runs' : runProblem(run);
  if (problem === undefined) return;
  throw new UnreachableError(`Nobody counts trades: ${problem}`, {
    nextStep: `${whatOfTrades} ${run === undefined ? 'Start one with `cryptopipe submit streaming`.' : `See \`cryptopipe logs ${run.runId}\`.`}`,
  });
}
