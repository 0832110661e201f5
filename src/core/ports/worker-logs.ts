import type { LogStream } from './spark.js';

/** A process whose output a worker keeps. */
export type LogOwner =
  | { readonly kind: 'driver'; readonly submissionId: string }
  | { readonly kind: 'executor'; readonly applicationId: string; readonly executorId: string };

/** One stream of one process, on the worker that keeps it. */
export interface LogPlace {
  readonly owner: LogOwner;
  readonly workerUrl: string;
  readonly stream: LogStream;
}

/** A part of a log. All numbers are bytes of the file, or of all files that roll-over has made of it, old ones first. */
export interface LogPage {
  /** A character that the page's edge cuts is there as U+FFFD. */
  readonly text: string;
  readonly from: number;
  /** The first byte after the page. */
  readonly to: number;
  /** Shrinks when roll-over deletes an old file: then every byte has a lower number than before. */
  readonly total: number;
}

/** An executor that a worker runs or has run. */
export interface WorkerExecutor {
  readonly applicationId: string;
  readonly executorId: string;
  readonly isEnded: boolean;
}

/** The pages of Spark's workers. */
export interface WorkerLogs {
  /**
   * Bytes of a log; a range that reaches past the end is cut.
   * @throws UnreachableError; one that is not retryable where the worker has no such folder (any more).
   */
  page(
    place: LogPlace,
    range: { readonly from: number; readonly byteLength: number },
    signal?: AbortSignal,
  ): Promise<LogPage>;
  /** The executors that a worker runs, and the ended ones that it remembers. */
  executors(workerUrl: string, signal?: AbortSignal): Promise<readonly WorkerExecutor[]>;
}
