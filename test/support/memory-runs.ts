import { isLive } from '../../src/core/driver-state.js';
import type { Clock } from '../../src/core/ports/clock.js';
import type {
  JobRun,
  LastBatch,
  OpeningRun,
  RunBook,
  RunFilter,
  RunState,
} from '../../src/core/ports/runs.js';

/** A run as `open` writes it; name only what a test is about. */
export function aRun(values: Partial<JobRun> = {}): JobRun {
  const runId = values.runId ?? '20261123t211500-aaaaaa';
  return {
    runId,
    job: 'streaming',
    state: 'PENDING',
    templateSha256: 'f00d',
    jobPath: '/jobs/f00d/streaming.py',
    appName: `CryptoStreamingJob-${runId}`,
    submissionId: undefined,
    applicationId: undefined,
    uiUrl: undefined,
    createdAt: new Date(Date.UTC(2026, 10, 23, 21, 15)),
    startedAt: undefined,
    endedAt: undefined,
    stopRequestedAt: undefined,
    heartbeatAt: undefined,
    error: undefined,
    parameters: {},
    request: undefined,
    submittedBy: undefined,
    supervise: false,
    restarts: 0,
    starts: [],
    lastError: undefined,
    brokeOff: false,
    replaces: undefined,
    progress: undefined,
    result: undefined,
    readAt: new Date(Date.UTC(2026, 10, 23, 21, 15)),
    ...values,
  };
}

/** The book of runs in memory, with the rules of the table: one live run of a single job, an end is kept. */
export class MemoryRuns implements RunBook {
  readonly rows = new Map<string, JobRun>();
  readonly batches: LastBatch[] = [];
  private readonly singles = new Set<string>();

  constructor(
    private readonly clock: Clock,
    rows: readonly JobRun[] = [],
  ) {
    for (const row of rows) {
      this.rows.set(row.runId, row);
      this.singles.add(row.runId);
    }
  }

  change(runId: string, values: Partial<JobRun>): void {
    const row = this.rows.get(runId);
    if (row === undefined) return;
    const endedAt = isLive(values.state ?? row.state)
      ? undefined
      : (row.endedAt ?? new Date(this.clock.now()));
    this.rows.set(runId, { ...row, endedAt, ...values });
  }

  /** A row as somebody reads it who knows that it is there. */
  read(runId: string): JobRun {
    const row = this.rows.get(runId);
    if (row === undefined) throw new Error(`there is no run ${runId}`);
    return this.asRead(row);
  }

  open(run: OpeningRun, { single }: { readonly single: boolean }): Promise<JobRun> {
    const other = [...this.rows.values()].find(
      (row) =>
        row.runId === run.runId ||
        (single && this.singles.has(row.runId) && row.job === run.job && isLive(row.state)),
    );
    if (other !== undefined) return Promise.resolve(this.asRead(other));
    const row = aRun({ ...run, state: 'PENDING', createdAt: new Date(this.clock.now()) });
    this.rows.set(run.runId, row);
    if (single) this.singles.add(run.runId);
    return Promise.resolve(row);
  }

  setSubmission(runId: string, submissionId: string): Promise<void> {
    const state = this.rows.get(runId)?.state ?? 'PENDING';
    this.change(runId, { submissionId, state: state === 'PENDING' ? 'SUBMITTED' : state });
    return Promise.resolve();
  }

  setState(runId: string, state: RunState, error?: string): Promise<void> {
    const row = this.rows.get(runId);
    if (row !== undefined && (isLive(row.state) || (row.state === 'FAILED' && state === 'KILLED')))
      this.change(runId, { state, error: error ?? row.error });
    return Promise.resolve();
  }

  requestStop(runId: string): Promise<void> {
    this.change(runId, { stopRequestedAt: new Date(this.clock.now()) });
    return Promise.resolve();
  }

  setApplication(runId: string, application: Pick<JobRun, 'applicationId' | 'uiUrl'>): Promise<void> {
    this.change(runId, application);
    return Promise.resolve();
  }

  lastBatches(): Promise<LastBatch[]> {
    return Promise.resolve(this.batches);
  }

  find(runId: string): Promise<JobRun | undefined> {
    const row = this.rows.get(runId);
    return Promise.resolve(row && this.asRead(row));
  }

  list(filter: RunFilter = {}): Promise<JobRun[]> {
    const rows = [...this.rows.values()]
      .filter((row) => filter.job === undefined || row.job === filter.job)
      .filter((row) => filter.live === undefined || isLive(row.state) === filter.live)
      .filter((row) => filter.state === undefined || row.state === filter.state)
      .filter((row) => filter.since === undefined || row.createdAt >= filter.since)
      .sort((left, right) => right.createdAt.getTime() - left.createdAt.getTime());
    return Promise.resolve(rows.slice(0, filter.limit ?? rows.length).map((row) => this.asRead(row)));
  }

  private asRead(row: JobRun): JobRun {
    return { ...row, readAt: new Date(this.clock.now()) };
  }
}
