import { UnreachableError } from '../core/errors.js';
import type { LogStream } from '../core/ports/spark.js';
import { directHttp, type HttpClient } from '../http/http-client.js';
import { summaryOf } from '../http/http-call.js';

/** Which part of a log: its last bytes, or its first. */
export interface LogRange {
  readonly from: 'start' | 'end';
  readonly byteLength: number;
  /** Of the call; 5 s where nobody says. */
  readonly timeoutMs?: number | undefined;
}

/** A worker gives a page of 1 MiB at most, and a line before it; bytes that are no UTF-8 become three each. */
const maxBytes = 4 * 1024 * 1024;

const headerLine = /^==== Bytes \d+-\d+ of \d+ of .* ====\r?\n?/;

/**
 * One page of a driver's log from its worker (org.apache.spark.deploy.worker.ui.LogPage), without the line that the page
 * puts before it.
 */
export async function readDriverLog(
  workerUrl: string,
  driverId: string,
  stream: LogStream,
  range: LogRange,
  signal?: AbortSignal,
  http: HttpClient = directHttp,
): Promise<string> {
  const query = new URLSearchParams({ driverId, logType: stream, byteLength: String(range.byteLength) });
  if (range.from === 'start') query.set('offset', '0');
  const answer = await http.call({
    system: 'The Spark worker',
    url: `${workerUrl}/log/?${query.toString()}`,
    timeoutMs: range.timeoutMs ?? 5000,
    maxBytes,
    signal,
    nextStep: 'The log stays in the work folder of the worker, under the id of the driver.',
  });
  if (answer.status !== 200)
    throw new UnreachableError(
      `The Spark worker at ${workerUrl} answered ${answer.status} for the log of ${driverId}: ${summaryOf(answer.text)}`,
    );
  const text = answer.text.replace(headerLine, '');
  if (/^Error: invalid log directory/i.test(text))
    throw new UnreachableError(`The Spark worker at ${workerUrl} has no log of ${driverId} any more`, {
      nextStep: 'Workers delete the folders of drivers that ended seven days ago.',
      retryable: false,
    });
  return text;
}
