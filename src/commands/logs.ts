import { lastLines } from '../core/driver-log.js';
import { UsageError } from '../core/errors.js';
import type { RunBook } from '../core/ports/runs.js';
import type { LogStream, SparkCluster } from '../core/ports/spark.js';
import { findRun } from './find-run.js';

export interface RunLog {
  readonly runId: string;
  readonly submissionId: string;
  readonly streams: readonly { readonly stream: LogStream; readonly text: string }[];
}

/** Long lines are frequent in a JVM's log: so many bytes are asked for one line. */
const bytesPerLine = 400;
const maxBytes = 4_000_000;

/** The last lines of a driver's output, through its worker's log page. */
export async function readLogs(
  ports: { readonly book: RunBook; readonly spark: SparkCluster },
  options: { readonly run: string; readonly streams: readonly LogStream[]; readonly lines: number },
): Promise<RunLog> {
  const { runId, submissionId, state } = await findRun(ports.book, options.run);
  if (submissionId === undefined)
    throw new UsageError(`Run ${runId} is ${state} and has no driver, so it has no log`, {
      nextStep: 'See why with `cryptopipe runs`.',
    });
  const bytes = Math.min(maxBytes, Math.max(65_536, options.lines * bytesPerLine));
  const streams = await Promise.all(
    options.streams.map(async (stream) => ({
      stream,
      text: lastLines(await ports.spark.driverLog(submissionId, stream, bytes), options.lines),
    })),
  );
  return { runId, submissionId, streams };
}
