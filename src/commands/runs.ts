import { UnreachableError } from '../core/errors.js';
import { ageOf, type JobRun, type LastBatch, type RunBook, type RunFilter } from '../core/ports/runs.js';
import { situationOf, type Situation } from '../core/run-situation.js';
import { findRun } from './find-run.js';
import { reconcile, type ReconcilePorts } from './reconcile.js';

/** A run, held against Spark where that answered. */
export type SeenRun = JobRun & {
  /** Spark's word for its driver; undefined where nobody asked. */
  readonly driverState: string | undefined;
  readonly situation: Situation;
};

export interface RunsReport {
  /** Newest first. */
  readonly runs: readonly SeenRun[];
  /** Set where Spark did not answer: then living runs are shown as they are written down. */
  readonly unreachable: UnreachableError | undefined;
}

async function look(
  ports: ReconcilePorts,
  run: JobRun,
): Promise<{ readonly seen: SeenRun; readonly unreachable?: UnreachableError }> {
  try {
    const { run: now, driverState, situation } = await reconcile(ports, run);
    return { seen: { ...now, driverState, situation } };
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    const situation = situationOf(run, { silence: error.message });
    return { seen: { ...run, driverState: undefined, situation }, unreachable: error };
  }
}

const newestFirst = (left: JobRun, right: JobRun): number =>
  right.createdAt.getTime() - left.createdAt.getTime() || (right.runId < left.runId ? -1 : 1);

/** Every living run, however old, and the newest of all up to the limit. */
async function choose(book: RunBook, filter: RunFilter): Promise<readonly JobRun[]> {
  const living = filter.live === false ? [] : await book.list({ ...filter, live: true, limit: undefined });
  const newest = filter.live === true ? [] : await book.list(filter);
  // A run that has ended between the two is shown once, as it was read last.
  return [...new Map([...living, ...newest].map((run) => [run.runId, run])).values()].sort(newestFirst);
}

/** The newest runs and every living one, the living ones held against Spark first. */
export async function listRuns(ports: ReconcilePorts, filter: RunFilter): Promise<RunsReport> {
  const looks = [];
  for (const run of await choose(ports.book, filter)) looks.push(await look(ports, run));
  return {
    runs: looks.map(({ seen }) => seen),
    unreachable: looks.find(({ unreachable }) => unreachable !== undefined)?.unreachable,
  };
}

export interface RunDetails {
  readonly run: SeenRun;
  /** The newest batch of each query of a stream, and how old its newest trade was when it was committed. */
  readonly batches: readonly (LastBatch & {
    readonly agoMs: number;
    readonly tradeAgeMs: number | undefined;
  })[];
  readonly unreachable: UnreachableError | undefined;
}

/** Everything about one run. @throws UsageError where nobody can tell which is meant. */
export async function showRun(ports: ReconcilePorts, text: string): Promise<RunDetails> {
  const { seen: run, unreachable } = await look(ports, await findRun(ports.book, text));
  const batches = (await ports.book.lastBatches(run)).map((batch) => ({
    ...batch,
    agoMs: ageOf(run, batch.committedAt),
    tradeAgeMs: batch.newestEventTime && batch.committedAt.getTime() - batch.newestEventTime.getTime(),
  }));
  return { run, batches, unreachable };
}
