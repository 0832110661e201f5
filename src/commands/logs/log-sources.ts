import { UnreachableError } from '../../core/errors.js';
import type { JobRun } from '../../core/ports/runs.js';
import type { LogStream, MasterReport, SparkCluster } from '../../core/ports/spark.js';
import { roomOf } from '../../core/run-room.js';
import type { LogOwner, LogPlace, WorkerLogs } from '../../core/ports/worker-logs.js';

export interface LogPorts {
  readonly spark: SparkCluster;
  readonly workerLogs: WorkerLogs;
}

/** Whose output is wanted, and which. */
export interface LogChoice {
  readonly of: 'driver' | 'executors' | 'all';
  readonly streams: readonly LogStream[];
}

/** What can be read of a run now. */
export interface LogSources {
  readonly places: readonly LogPlace[];
  /** Why something that is wanted cannot be read (yet), for a person; each stays the same while it holds. */
  readonly missing: readonly string[];
  /** True where an executor of the run still works. */
  readonly hasLivingExecutor: boolean;
}

interface Found {
  readonly owners: readonly { readonly owner: LogOwner; readonly workerUrl: string }[];
  readonly missing: readonly string[];
}

const headBytes = 1_048_576;
const connected = /Connected to Spark cluster with app ID (app-[\w-]+)/;

const living = (master: MasterReport): MasterReport['workers'] =>
  master.workers.filter((worker) => worker.state === 'ALIVE');

/** Total: undefined where the worker does not answer or has nothing of it. */
async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof UnreachableError) return undefined;
    throw error;
  }
}

async function hasLog(workerLogs: WorkerLogs, workerUrl: string, submissionId: string): Promise<boolean> {
  const place = { owner: { kind: 'driver', submissionId }, workerUrl, stream: 'stderr' } as const;
  return (await orUndefined(workerLogs.page(place, { from: 0, byteLength: 0 }))) !== undefined;
}

/** Where the log of a driver lies: on the worker that the master names, or, where it has forgotten it, on any. */
async function findDriver(ports: LogPorts, master: MasterReport, submissionId: string): Promise<Found> {
  const driver = master.drivers.find(({ id }) => id === submissionId);
  const owner = { kind: 'driver', submissionId } as const;
  if (driver !== undefined && driver.workerId === undefined)
    return { owners: [], missing: [`no worker has taken ${submissionId} yet: ${roomOf(master)}`] };
  const worker = master.workers.find(({ id }) => id === driver?.workerId);
  if (worker?.state === 'ALIVE') return { owners: [{ owner, workerUrl: worker.webUiAddress }], missing: [] };
  for (const { webUiAddress } of living(master))
    if (await hasLog(ports.workerLogs, webUiAddress, submissionId))
      return { owners: [{ owner, workerUrl: webUiAddress }], missing: [] };
  const why =
    driver === undefined
      ? `the master does not know ${submissionId} (any more), and no living worker has its log`
      : `the worker of ${submissionId}, ${driver.workerId ?? ''}, is lost, and its log with it`;
  return { owners: [], missing: [why] };
}

/**
 * The applications of a run, one for each start of its driver: by the job's own word, by the name that every application
 * of it has, else by what the driver's log says of it.
 */
async function applicationsOf(
  ports: LogPorts,
  master: MasterReport,
  run: JobRun,
  driver: Found,
): Promise<ReadonlySet<string>> {
  const named = master.apps.filter(({ name }) => name.endsWith(`-${run.runId}`)).map(({ id }) => id);
  const known = new Set([...(run.applicationId === undefined ? [] : [run.applicationId]), ...named]);
  const [place] = driver.owners;
  if (known.size > 0 || place === undefined) return known;
  const head = await orUndefined(
    ports.workerLogs.page({ ...place, stream: 'stderr' }, { from: 0, byteLength: headBytes }),
  );
  const id = connected.exec(head?.text ?? '')?.[1];
  return new Set(id === undefined ? [] : [id]);
}

async function findExecutors(
  ports: LogPorts,
  master: MasterReport,
  applications: ReadonlySet<string>,
): Promise<Found & { readonly hasLiving: boolean }> {
  if (applications.size === 0)
    return { owners: [], missing: ['the run has no application yet, so no executors'], hasLiving: false };
  const perWorker = await Promise.all(
    living(master).map(async ({ id, webUiAddress }) => ({
      ...{ id, workerUrl: webUiAddress },
      executors: await orUndefined(ports.workerLogs.executors(webUiAddress)),
    })),
  );
  const found = perWorker.flatMap(({ workerUrl, executors }) =>
    (executors ?? [])
      .filter(({ applicationId }) => applications.has(applicationId))
      .map((executor) => ({ ...executor, workerUrl })),
  );
  const silent = perWorker.filter(({ executors }) => executors === undefined).map(({ id }) => id);
  const lost = master.workers.filter(({ state }) => state !== 'ALIVE').map(({ id }) => id);
  return {
    owners: found.map(({ applicationId, executorId, workerUrl }) => ({
      owner: { kind: 'executor', applicationId, executorId },
      workerUrl,
    })),
    missing: [
      ...(found.length === 0
        ? [`no living worker knows an executor of ${[...applications].join(', ')}`]
        : []),
      ...silent.map((id) => `${id} does not answer: the executors that it ran are not shown`),
      ...lost.map((id) => `${id} is lost: the executors that it ran are not shown`),
    ],
    hasLiving: found.some(({ isEnded }) => !isEnded),
  };
}

/** What can be read of a run that has a driver. A worker that does not answer is named in `missing`. */
export async function findSources(
  ports: LogPorts,
  run: JobRun & { readonly submissionId: string },
  choice: LogChoice,
  master: MasterReport,
): Promise<LogSources> {
  const driver = await findDriver(ports, master, run.submissionId);
  const executors =
    choice.of === 'driver'
      ? undefined
      : await findExecutors(ports, master, await applicationsOf(ports, master, run, driver));
  const wanted = [
    ...(choice.of === 'executors' ? [] : [driver]),
    ...(executors === undefined ? [] : [executors]),
  ];
  return {
    places: wanted.flatMap(({ owners }) =>
      owners.flatMap((owner) => choice.streams.map((stream) => ({ ...owner, stream }))),
    ),
    missing: wanted.flatMap(({ missing }) => missing),
    hasLivingExecutor: executors?.hasLiving ?? false,
  };
}
