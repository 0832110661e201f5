import { UnreachableError } from '../core/errors.js';
import type { SparkCluster } from '../core/ports/spark.js';
import { readDriverLog, type LogRange } from './spark-logs.js';
import { createSparkMaster } from './spark-master.js';
import { createSparkRest } from './spark-rest.js';

const launchMark = 'Launch Command: ';

/** A standalone cluster over HTTP: REST server, the master's `/json/`, the workers' log pages. */
export function createSparkCluster(urls: { readonly restUrl: string; readonly uiUrl: string }): SparkCluster {
  const rest = createSparkRest(urls.restUrl);
  const master = createSparkMaster(urls.uiUrl);
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
    return url === undefined ? undefined : readDriverLog(url, submissionId, stream, range, signal);
  };
  return {
    ...rest,
    master,
    launchCommand: async (submissionId, signal) => {
      const head = await log(submissionId, 'stderr', { from: 'start', byteLength: 32_768 }, signal);
      return head
        ?.split('\n')
        .find((line) => line.startsWith(launchMark))
        ?.slice(launchMark.length);
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
