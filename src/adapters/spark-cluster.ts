import { UnreachableError } from '../core/errors.js';
import type { SparkCluster } from '../core/ports/spark.js';
import type { HttpClient } from '../http/http-client.js';
import { patientCalls, type Patience } from './patience.js';
import { readDriverLog, type LogRange } from './spark-logs.js';
import { createSparkMaster } from './spark-master.js';
import type { RestAccess } from './rest-access.js';
import { createSparkRest } from './spark-rest.js';

/** As much as a worker gives of a log in one page (org.apache.spark.deploy.worker.ui.LogPage). */
const pageBytes = 1024 * 1024;
/**
 * What the worker writes before a driver's own output. The line below the command is part of it: a command without one
 * is not written to its end yet, and what it does not name may still come.
 */
const launchHead = /^Launch Command: (.*)\r?\n={40}$/m;

export interface SparkUrls {
  readonly restUrl: string;
  readonly uiUrl: string;
  /** Of one call, where the usual 10 s (REST) and 5 s (pages) will not do. */
  readonly timeoutMs?: number;
  /** Where the REST server wants signed calls. */
  readonly restAccess?: RestAccess;
  readonly http?: HttpClient;
  readonly patience?: Patience | undefined;
}

/** A standalone cluster over HTTP: REST server, the master's `/json/`, the workers' log pages. */
export function createSparkCluster(urls: SparkUrls): SparkCluster {
  const { timeoutMs, restAccess, http, patience } = urls;
  const calls = patientCalls('spark', patience);
  const workerCalls = patientCalls('spark worker', patience);
  const rest = createSparkRest(urls.restUrl, { timeoutMs, access: restAccess, http, calls });
  const master = createSparkMaster(urls.uiUrl, timeoutMs, http, calls);
  const workerUrl = async (submissionId: string, signal?: AbortSignal): Promise<string | undefined> => {
    const report = await master(signal);
    const workerId = report.drivers.find((driver) => driver.id === submissionId)?.workerId;
    return report.workers.find((worker) => worker.id === workerId)?.webUiAddress;
  };
  const log = async (
    submissionId: string,
    stream: 'stdout' | 'stderr',
    range: LogRange,
    signal?: AbortSignal,
  ): Promise<string | undefined> => {
    const url = await workerUrl(submissionId, signal);
    return url === undefined
      ? undefined
      : workerCalls.repeatable(
          () => readDriverLog(url, submissionId, stream, { ...range, timeoutMs }, signal, http),
          signal,
        );
  };
  return {
    ...rest,
    master,
    launchCommand: async (submissionId, signal) => {
      const head = await log(submissionId, 'stderr', { from: 'start', byteLength: pageBytes }, signal);
      return launchHead.exec(head ?? '')?.[1];
    },
    driverLog: async (submissionId, stream, byteLength, signal) => {
      const text = await log(submissionId, stream, { from: 'end', byteLength }, signal);
      if (text !== undefined) return text;
      throw new UnreachableError(`No worker that the master knows has ${submissionId}`, {
        nextStep: 'It waits for a worker, or its worker has gone: look at `cryptopipe status`.',
      });
    },
  };
}
