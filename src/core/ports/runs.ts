import type { ParameterValues } from '../job-parameters.js';
import type { SubmissionRequest } from './spark.js';

/** A run's life as cryptopipe knows it. PENDING: written down, Spark has not answered yet. */
export const runStates = ['PENDING', 'SUBMITTED', 'RUNNING', 'FINISHED', 'FAILED', 'KILLED', 'LOST'] as const;
export type RunState = (typeof runStates)[number];

/** One row of `crypto.job_runs`. */
export interface JobRun {
  readonly runId: string;
  readonly job: string;
  readonly state: RunState;
  /** Of the text or program that runs; undefined for one that was not stored because it has an address of its own. */
  readonly templateSha256: string | undefined;
  /** Where the program lies: a path in the file store, or an address. */
  readonly jobPath: string;
  readonly appName: string;
  readonly submissionId: string | undefined;
  readonly applicationId: string | undefined;
  readonly uiUrl: string | undefined;
  readonly createdAt: Date;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly stopRequestedAt: Date | undefined;
  /** When the job last said that it lives. */
  readonly heartbeatAt: Date | undefined;
  readonly error: string | undefined;
  readonly parameters: ParameterValues;
  /** What Spark was sent; undefined for runs of earlier versions. */
  readonly request: SubmissionRequest | undefined;
  /** `user@host` of the call that submitted it. */
  readonly submittedBy: string | undefined;
  /** True where Spark starts its driver again when it ends badly. */
  readonly supervise: boolean;
  /** How often its driver was started again. */
  readonly restarts: number;
  /** When its program was started: the newest ten, oldest first. Empty for programs that do not say so. */
  readonly starts: readonly Date[];
  /** What the process before this one died of, where Spark has started it again; see `brokeOff`. */
  readonly lastError: string | undefined;
  /** True where `lastError` is the last word of the newest process, which has not been started again. */
  readonly brokeOff: boolean;
  /** The run in whose place it was submitted. */
  readonly replaces: string | undefined;
  /** What the job last said of how far it is. */
  readonly progress: Readonly<Record<string, unknown>> | undefined;
  /** What the job found. */
  readonly result: Readonly<Record<string, unknown>> | undefined;
  /** When the row was read, by the clock that wrote its times: an age is the difference of the two. */
  readonly readAt: Date;
}

/** How long ago something happened to a run when it was read, in ms; this computer's clock has no part in it. */
export const ageOf = (run: JobRun, time: Date | undefined): number =>
  time === undefined ? Infinity : run.readAt.getTime() - time.getTime();

/** What is known of a run before Spark hears of it. */
export type OpeningRun = Pick<
  JobRun,
  | 'runId'
  | 'job'
  | 'templateSha256'
  | 'jobPath'
  | 'appName'
  | 'parameters'
  | 'request'
  | 'submittedBy'
  | 'supervise'
  | 'replaces'
>;

/** The book of runs, in PostgreSQL: a run is written down before Spark hears of it. */
export interface RunBook {
  /**
   * Writes a PENDING run. Of a `single` job at most one run lives: where one lives already, nothing is written and that
   * run is returned.
   */
  open(run: OpeningRun, options: { readonly single: boolean }): Promise<JobRun>;
  /** Writes the submission id; a PENDING run becomes SUBMITTED, one that has gone further stays where it is. */
  setSubmission(runId: string, submissionId: string): Promise<void>;
  /**
   * Changes a live run; one that has ended keeps the end it has. Only KILLED replaces FAILED: what a job writes while it
   * is being killed is not why it ended.
   */
  setState(runId: string, state: RunState, error?: string): Promise<void>;
  /** Sets the stop flag that the job polls; on a run that has ended it only says that the end was ordered. */
  requestStop(runId: string): Promise<void>;
  /** For a program that does not say so itself: which application it has become, and Spark's page of that. */
  setApplication(runId: string, application: Pick<JobRun, 'applicationId' | 'uiUrl'>): Promise<void>;
  find(runId: string): Promise<JobRun | undefined>;
  /** One for each query that has committed any; empty for a job that has none. */
  lastBatches(run: JobRun): Promise<LastBatch[]>;
  /** Newest first. */
  list(filter?: RunFilter): Promise<JobRun[]>;
}

/** The newest micro-batch that a run has committed in one of its queries. */
export interface LastBatch {
  readonly query: string;
  readonly batchId: number;
  readonly committedAt: Date;
  readonly counted: number;
  readonly repeated: number;
  readonly conflicted: number;
  readonly rejected: number;
  /** Trade time of its newest message; undefined for a batch without any. */
  readonly newestEventTime: Date | undefined;
}

/** Which runs; what is left out says nothing. */
export interface RunFilter {
  readonly job?: string | undefined;
  readonly live?: boolean | undefined;
  readonly state?: RunState | undefined;
  /** Written down then or later. */
  readonly since?: Date | undefined;
  readonly limit?: number | undefined;
}
