import type { Pool } from 'pg';
import { UnreachableError } from '../core/errors.js';
import type { JobRun, LastBatch, OpeningRun, RunBook, RunState } from '../core/ports/runs.js';
import type { SubmissionRequest } from '../core/ports/spark.js';
import { queryRows } from './postgres.js';

interface RunRow {
  readonly run_id: string;
  readonly job: string;
  readonly state: RunState;
  readonly template_sha256: string | null;
  readonly job_path: string;
  readonly app_name: string;
  readonly submission_id: string | null;
  readonly application_id: string | null;
  readonly ui_url: string | null;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly stop_requested_at: Date | null;
  readonly heartbeat_at: Date | null;
  readonly error: string | null;
  readonly parameters: JobRun['parameters'];
  readonly request: SubmissionRequest | null;
  readonly submitted_by: string | null;
  readonly supervise: boolean;
  readonly restarts: number;
  readonly starts: Date[];
  readonly last_error: string | null;
  readonly broke_off: boolean;
  readonly replaces: string | null;
  readonly progress: Record<string, unknown> | null;
  readonly result: Record<string, unknown> | null;
  readonly read_at: Date;
}

const columns = `run_id, job, state, template_sha256, job_path, app_name, submission_id, application_id, ui_url,
  created_at, started_at, ended_at, stop_requested_at, heartbeat_at, error,
  parameters, request, submitted_by, supervise, restarts, starts, last_error, broke_off, replaces,
  progress, result, clock_timestamp() AS read_at`;
const live = `state IN ('PENDING', 'SUBMITTED', 'RUNNING')`;

function toRun(row: RunRow): JobRun {
  return {
    runId: row.run_id,
    job: row.job,
    state: row.state,
    templateSha256: row.template_sha256 ?? undefined,
    jobPath: row.job_path,
    appName: row.app_name,
    submissionId: row.submission_id ?? undefined,
    applicationId: row.application_id ?? undefined,
    uiUrl: row.ui_url ?? undefined,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    stopRequestedAt: row.stop_requested_at ?? undefined,
    heartbeatAt: row.heartbeat_at ?? undefined,
    error: row.error ?? undefined,
    parameters: row.parameters,
    request: row.request ?? undefined,
    submittedBy: row.submitted_by ?? undefined,
    supervise: row.supervise,
    restarts: row.restarts,
    starts: row.starts,
    lastError: row.last_error ?? undefined,
    brokeOff: row.broke_off,
    replaces: row.replaces ?? undefined,
    progress: row.progress ?? undefined,
    result: row.result ?? undefined,
    readAt: row.read_at,
  };
}

/** Newest batch of each query by the index on (query, topic, id). */
const lastBatchesSql = `
  SELECT name AS "query", batch_id AS "batchId", committed_at AS "committedAt", counted, repeated, conflicted, rejected,
         newest_event_time AS "newestEventTime"
  FROM (VALUES ('hot'), ('lake')) AS queries (name)
  CROSS JOIN LATERAL (
    SELECT * FROM crypto.batches WHERE query = name AND topic = $2 AND run_id = $1 ORDER BY id DESC LIMIT 1
  ) AS newest
  ORDER BY name`;

type BatchRow = Omit<LastBatch, 'newestEventTime'> & { readonly newestEventTime: Date | null };

const detailsOf = (run: OpeningRun): unknown[] => [
  JSON.stringify(run.parameters),
  run.request === undefined ? null : JSON.stringify(run.request),
  run.submittedBy ?? null,
  run.supervise,
  run.replaces ?? null,
];

/** The book of runs in `crypto.job_runs`; every change is one statement, so a crash leaves no half of it. */
export function createPostgresRuns(pool: Pool): RunBook {
  const query = async (sql: string, values: readonly unknown[]): Promise<JobRun[]> =>
    (await queryRows<RunRow>(pool, sql, values)).map(toRun);
  const open: RunBook['open'] = async (run, { single }) => {
    // Between the refused insert and the look at who was there, that run may have ended: then there is room.
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const [opened] = await query(
        `INSERT INTO crypto.job_runs (run_id, job, state, template_sha256, job_path, app_name, single, created_at,
           parameters, request, submitted_by, supervise, replaces)
         VALUES ($1, $2, 'PENDING', $3, $4, $5, $6, now(), $7, $8, $9, $10, $11)
         ON CONFLICT DO NOTHING RETURNING ${columns}`,
        [run.runId, run.job, run.templateSha256 ?? null, run.jobPath, run.appName, single, ...detailsOf(run)],
      );
      if (opened !== undefined) return opened;
      const [other] = await query(
        `SELECT ${columns} FROM crypto.job_runs WHERE run_id = $1 OR (job = $2 AND single AND ${live}) LIMIT 1`,
        [run.runId, run.job],
      );
      if (other !== undefined) return other;
    }
    throw new UnreachableError(`The run ${run.runId} could not be written down: another one comes and goes`);
  };
  return {
    open,
    setSubmission: async (runId, submissionId) => {
      await query(
        `UPDATE crypto.job_runs SET submission_id = $2, state = CASE state WHEN 'PENDING' THEN 'SUBMITTED' ELSE state END
         WHERE run_id = $1`,
        [runId, submissionId],
      );
    },
    setState: async (runId, state, error) => {
      await query(
        `UPDATE crypto.job_runs SET state = $2, error = coalesce($3, error),
           started_at = CASE $2 WHEN 'RUNNING' THEN coalesce(started_at, now()) ELSE started_at END,
           ended_at = CASE WHEN $2 IN ('PENDING', 'SUBMITTED', 'RUNNING') THEN ended_at ELSE now() END
         WHERE run_id = $1 AND (${live} OR (state = 'FAILED' AND $2 = 'KILLED'))`,
        [runId, state, error ?? null],
      );
    },
    requestStop: async (runId) => {
      await query(
        `UPDATE crypto.job_runs SET stop_requested_at = coalesce(stop_requested_at, now())
         WHERE run_id = $1`,
        [runId],
      );
    },
    setApplication: async (runId, { applicationId, uiUrl }) => {
      await query(`UPDATE crypto.job_runs SET application_id = $2, ui_url = $3 WHERE run_id = $1`, [
        runId,
        applicationId,
        uiUrl,
      ]);
    },
    lastBatches: async ({ runId, parameters: { topic } }) => {
      if (topic === undefined) return [];
      const rows = await queryRows<BatchRow>(pool, lastBatchesSql, [runId, topic]);
      return rows.map((row) => ({ ...row, newestEventTime: row.newestEventTime ?? undefined }));
    },
    find: async (runId) =>
      (await query(`SELECT ${columns} FROM crypto.job_runs WHERE run_id = $1`, [runId]))[0],
    list: async (filter = {}) =>
      query(
        `SELECT ${columns} FROM crypto.job_runs
         WHERE ($1::text IS NULL OR job = $1) AND ($2::boolean IS NULL OR (${live}) = $2)
           AND ($4::text IS NULL OR state = $4) AND ($5::timestamptz IS NULL OR created_at >= $5)
         ORDER BY created_at DESC, run_id DESC LIMIT $3`,
        [filter.job, filter.live, filter.limit, filter.state, filter.since].map((value) => value ?? null),
      ),
  };
}
