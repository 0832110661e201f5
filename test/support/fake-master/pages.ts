import { hasEnded, type FakeCluster, type FakeDriver } from './cluster.js';

const workerId = 'worker-20261123211804-127.0.0.1-7078';
const version = { serverSparkVersion: '4.2.0' };

/** org.apache.spark.deploy.master.Master: what every request but that for readiness is told by a master that does not lead. */
const notAlive = (cluster: FakeCluster, what: string): string =>
  `Current state is not alive: ${cluster.status}. ${what} in ALIVE state.`;

/** Leaves out what is undefined, as Spark's JSON does. */
const json = (value: object): string => JSON.stringify(value, undefined, 2);

export function createAnswer(cluster: FakeCluster, body: string): string {
  const action = 'CreateSubmissionResponse';
  if (cluster.status !== 'ALIVE')
    return json({
      ...{ action, ...version, success: false },
      message: notAlive(cluster, 'Can only accept driver submissions'),
    });
  const { id } = cluster.submit(JSON.parse(body) as FakeDriver['request']);
  const message = `Driver successfully submitted as ${id}`;
  return json({ action, message, ...version, submissionId: id, success: true });
}

export function statusAnswer(cluster: FakeCluster, id: string): string {
  const answer = { action: 'SubmissionStatusResponse', ...version, submissionId: id };
  if (cluster.status !== 'ALIVE') {
    const cause = notAlive(cluster, 'Can only request driver status');
    return json({ ...answer, success: false, message: `Exception from the cluster:\n${cause}` });
  }
  const driver = cluster.find(id);
  return json({
    ...answer,
    success: driver !== undefined,
    driverState: driver?.state,
    message: driver?.message,
    ...(driver?.isPlaced === true ? { workerId, workerHostPort: '127.0.0.1:7078' } : {}),
  });
}

export function killAnswer(cluster: FakeCluster, id: string): string {
  const answer = { action: 'KillSubmissionResponse', ...version, submissionId: id };
  if (cluster.status !== 'ALIVE')
    return json({ ...answer, success: false, message: notAlive(cluster, 'Can only kill drivers') });
  const success = cluster.kill(id);
  const message = success
    ? `Kill request for ${id} submitted`
    : `Driver ${id} has already finished or does not exist`;
  return json({ ...answer, success, message });
}

const driverEntry = (driver: FakeDriver): object => ({
  id: driver.id,
  starttime: '1795468746243',
  state: driver.state,
  cores: 1,
  memory: 1024,
  resources: {},
  submitdate: 'Mon Nov 23 21:19:06 UTC 2026',
  worker: driver.isPlaced ? workerId : 'None',
  mainclass: driver.request.mainClass,
});

/** The master's `/json/` (org.apache.spark.deploy.JsonProtocol). */
export function masterPage(cluster: FakeCluster, url: string): string {
  const isLeader = cluster.status === 'ALIVE';
  const drivers = isLeader ? cluster.drivers : [];
  const apps = (isLeader ? cluster.apps : []).map((app) => ({
    ...app,
    starttime: 0,
    cores: 1,
    user: 'spark',
  }));
  const running = ['WAITING', 'RUNNING'];
  return json({
    url: 'spark://127.0.0.1:7077',
    workers: isLeader
      ? [
          {
            ...{ id: workerId, host: '127.0.0.1', port: 7078, webuiaddress: url, state: 'ALIVE' },
            ...{ cores: 4, coresused: 1, coresfree: 3, memory: 4096, memoryused: 2048, memoryfree: 2048 },
          },
        ]
      : [],
    activeapps: apps.filter(({ state }) => running.includes(state)),
    completedapps: apps.filter(({ state }) => !running.includes(state)),
    activedrivers: drivers.filter((driver) => !hasEnded(driver)).map(driverEntry),
    completeddrivers: drivers.filter(hasEnded).map(driverEntry),
    status: cluster.status,
  });
}

const quoted = (words: readonly string[]): string => words.map((word) => `"${word}"`).join(' ');

/** What org.apache.spark.deploy.worker.DriverRunner writes to a driver's stderr before its process does. */
const launchHead = ({ request }: FakeDriver): string =>
  `Launch Command: ${quoted(['java', '-cp', '/opt/spark/jars/*', '-Xmx1024M', 'org.apache.spark.deploy.worker.DriverWrapper', request.mainClass, ...request.appArgs])}\n${'='.repeat(40)}\n\n`;

/** One page of the worker's log (org.apache.spark.deploy.worker.ui.LogPage). */
export function logPage(cluster: FakeCluster, query: URLSearchParams): string {
  const id = query.get('driverId') ?? '';
  const folder = `/opt/spark/work/${id}`;
  const type = query.get('logType') ?? '';
  // The worker still has the files of a driver that its master has forgotten.
  const driver = cluster.taken.find((one) => one.id === id);
  if (driver?.hasLog !== true)
    return `==== Bytes 0-0 of 0 of ${folder}/${type} ====\nError: invalid log directory ${folder}/`;
  const text = type === 'stdout' ? driver.stdout : launchHead(driver);
  const length = Number(query.get('byteLength') ?? 102_400);
  const from = query.has('offset') ? Number(query.get('offset')) : Math.max(0, text.length - length);
  const until = Math.min(text.length, from + length);
  return `==== Bytes ${from}-${until} of ${text.length} of ${folder}/${type} ====\n${text.slice(from, until)}`;
}
