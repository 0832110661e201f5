import { coreServers, serverNames, type ServerName, type StackCall } from '../core/ports/stack.js';
import { airflowServer } from './airflow.js';
import { dataNodeServer } from './data-node.js';
import { stackLock } from './install/lock.js';
import type { Installed } from './install/install.js';
import { kafkaServer } from './kafka.js';
import { nameNodeServer } from './name-node.js';
import { postgresServer } from './postgres.js';
import { secondaryNameNodeServer } from './secondary-name-node.js';
import type { Server } from './server.js';
import type { StackSettings } from './settings.js';
import { sparkMasterServer } from './spark-master.js';
import { sparkWorkerServer } from './spark-worker.js';

/** What must be ready before a server starts. */
export const dependencies: Readonly<Record<ServerName, readonly ServerName[]>> = {
  postgres: [],
  kafka: [],
  'name-node': [],
  'secondary-name-node': ['name-node'],
  'data-node': ['name-node'],
  'spark-master': [],
  'spark-worker': ['spark-master'],
  airflow: ['postgres'],
};

/** The servers of a call and those that they cannot do without, in the order of `serverNames`. */
export function wantedServers({
  only = [],
  with: more = [],
}: Pick<StackCall, 'only' | 'with'>): ServerName[] {
  const named = [...(only.length === 0 ? coreServers : only), ...more];
  const wanted = new Set<ServerName>();
  const add = (name: ServerName): void => {
    wanted.add(name);
    dependencies[name].forEach(add);
  };
  named.forEach(add);
  return serverNames.filter((name) => wanted.has(name));
}

/** The descriptions of these servers, from what was installed for them. */
export function describeServers(
  names: readonly ServerName[],
  settings: StackSettings,
  installed: Installed,
): Server[] {
  const { versions } = stackLock();
  const builders: Record<ServerName, () => Server> = {
    postgres: () => postgresServer(settings, needed(installed.postgres)),
    kafka: () => kafkaServer(settings, { java: java(), jars: installed.kafkaJars, version: versions.kafka }),
    'name-node': () => nameNodeServer(settings, hdfs()),
    'secondary-name-node': () => secondaryNameNodeServer(settings, hdfs()),
    'data-node': () => dataNodeServer(settings, hdfs()),
    'spark-master': () => sparkMasterServer(settings, spark()),
    'spark-worker': () => sparkWorkerServer(settings, spark()),
    airflow: () => airflowServer(settings, needed(installed.airflow)),
  };
  const java = (): string => needed(installed.java).file;
  const spark = () => ({ java: java(), installation: needed(installed.spark), version: versions.spark });
  const hdfs = () => ({
    java: java(),
    jars: installed.hdfsJars,
    sparkHome: needed(installed.spark).sparkHome,
    version: versions.hadoop,
  });
  return names.map((name) => builders[name]());
}

function needed<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('a server was described whose parts were not installed');
  return part;
}
