import { UnreachableError } from '../core/errors.js';
import type { JobRun } from '../core/ports/runs.js';
import { reconcile, type ReconcilePorts } from './reconcile.js';

export interface RunsReport {
  /** Newest first. */
  readonly runs: readonly (JobRun & { readonly driverState: string | undefined })[];
  /** Set where Spark did not answer: then living runs are shown as they are written down. */
  readonly unreachable: UnreachableError | undefined;
}

/** The newest runs, the living ones held against Spark first. */
export async function listRuns(
  ports: ReconcilePorts,
  filter: { readonly job?: string; readonly limit: number },
): Promise<RunsReport> {
  let unreachable: UnreachableError | undefined;
  const runs = [];
  for (const run of await ports.book.list(filter)) {
    try {
      const seen = await reconcile(ports, run);
      runs.push({ ...seen.run, driverState: seen.driverState });
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      unreachable = error;
      runs.push({ ...run, driverState: undefined });
    }
  }
  return { runs, unreachable };
}
