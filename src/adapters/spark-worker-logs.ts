import { z } from 'zod';
import { UnreachableError } from '../core/errors.js';
import type { LogOwner, LogPage, LogPlace, WorkerExecutor, WorkerLogs } from '../core/ports/worker-logs.js';
import { directHttp, type HttpClient } from '../http/http-client.js';
import { summaryOf, type HttpAnswer } from '../http/http-call.js';

/** The line that the page puts before the log (org.apache.spark.deploy.worker.ui.LogPage). */
const header = /^==== Bytes (\d+)-(\d+) of (\d+) of .* ====\n/;
const timeoutMs = 5000;
/** A page has 1 MiB at most (bytes that are no UTF-8 become three each); the list of executors of a busy worker has less. */
const maxBytes = 4 * 1024 * 1024;

const executor = z.object({ id: z.union([z.number(), z.string()]), appid: z.string() });
const workerSchema = z.object({ executors: z.array(executor), finishedexecutors: z.array(executor) });

/** As a person calls it. */
const nameOf = (owner: LogOwner): string =>
  owner.kind === 'driver' ? owner.submissionId : `executor ${owner.executorId} of ${owner.applicationId}`;

function queryOf({ owner, stream }: LogPlace, from: number, byteLength: number): string {
  const whose =
    owner.kind === 'driver'
      ? { driverId: owner.submissionId }
      : { appId: owner.applicationId, executorId: owner.executorId };
  const range = { logType: stream, offset: String(from), byteLength: String(byteLength) };
  return new URLSearchParams({ ...whose, ...range }).toString();
}

function toPage(place: LogPlace, text: string): LogPage {
  const found = header.exec(text);
  const body = text.slice(found?.[0].length ?? 0);
  const what = `The Spark worker at ${place.workerUrl}`;
  if (/^Error: invalid log directory/i.test(body))
    throw new UnreachableError(`${what} has no log of ${nameOf(place.owner)} any more`, {
      nextStep: 'Workers delete the folders of drivers and applications seven days after their end.',
      retryable: false,
    });
  const [from, to, total] = (found ?? []).slice(1).map(Number);
  if (from === undefined || to === undefined || total === undefined)
    throw new UnreachableError(`${what} answered no page of a log: ${summaryOf(body)}`, { retryable: false });
  // A file that is renamed by a roll-over between the page's two looks at it.
  if (total === 0 && body.startsWith('Error getting logs due to exception'))
    throw new UnreachableError(
      `${what} could not read the log of ${nameOf(place.owner)}: ${summaryOf(body)}`,
    );
  return { text: body, from, to, total };
}

function toExecutors(answer: HttpAnswer, workerUrl: string): WorkerExecutor[] {
  let raw: unknown;
  try {
    raw = JSON.parse(answer.text);
  } catch {
    raw = undefined;
  }
  const parsed = workerSchema.safeParse(raw);
  if (!parsed.success)
    throw new UnreachableError(
      `The Spark worker at ${workerUrl} answered ${answer.status}, and not as a worker does: ${summaryOf(answer.text)}`,
      { retryable: false },
    );
  const of = (isEnded: boolean) => (one: z.infer<typeof executor>) => ({
    applicationId: one.appid,
    executorId: String(one.id),
    isEnded,
  });
  return [...parsed.data.executors.map(of(false)), ...parsed.data.finishedexecutors.map(of(true))];
}

/** The workers' pages `/log/` and `/json/`, asked directly at the address that each worker gives the master. */
export function createWorkerLogs(http: HttpClient = directHttp): WorkerLogs {
  const ask = (url: string, signal: AbortSignal | undefined): Promise<HttpAnswer> =>
    http.call({
      ...{ system: 'The Spark worker', url, timeoutMs, maxBytes, signal },
      nextStep: 'The logs lie in the work folder of the worker, under the id of driver and application.',
    });
  return {
    page: async (place, { from, byteLength }, signal) => {
      const answer = await ask(`${place.workerUrl}/log/?${queryOf(place, from, byteLength)}`, signal);
      if (answer.status !== 200)
        throw new UnreachableError(
          `The Spark worker at ${place.workerUrl} answered ${answer.status} for the log of ${nameOf(place.owner)}: ${summaryOf(answer.text)}`,
        );
      return toPage(place, answer.text);
    },
    executors: async (workerUrl, signal) => toExecutors(await ask(`${workerUrl}/json/`, signal), workerUrl),
  };
}
