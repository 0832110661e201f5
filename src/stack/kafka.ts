import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { Kafka, logLevel } from 'kafkajs';
import { UnreachableError } from '../core/errors.js';
import { ensureData, type DataFolder } from './data-folder.js';
import { logPathOf } from './log-path.js';
import { lastLine } from './log-tail.js';
import { makePrivateFolder } from './private-folder.js';
import { writeRollingLog } from './server-log.js';
import type { Command, KnownEnd, Server } from './server.js';
import { serverEnvironment, type StackSettings } from './settings.js';

export interface KafkaParts {
  readonly java: string;
  readonly jars: readonly string[];
  readonly version: string;
}

/** Kafka: broker and controller in one process (KRaft), one node, loopback only. */
export function kafkaServer(settings: StackSettings, parts: KafkaParts): Server {
  const folder = join(settings.dataDir, 'kafka');
  const { kafka: port, kafkaController } = settings.ports;
  const logPath = logPathOf(settings.dataDir, 'kafka');
  return {
    name: 'kafka',
    version: parts.version,
    logPath,
    ports: { Kafka: port, 'Kafka controller': kafkaController },
    prepare: async (signal) => {
      await makePrivateFolder(folder);
      await writeFile(join(folder, 'server.properties'), kafkaProperties(settings, logFolder(folder).path));
      const log = await writeRollingLog(join(folder, 'log4j2.properties'), { path: logPath });
      const command = commandOf(settings, parts, folder);
      await ensureData(logFolder(folder), (data) => format(settings, command, { folder, data, signal }));
      return { ...command, args: [log, ...command.args, 'kafka.Kafka', join(folder, 'server.properties')] };
    },
    checkReady: () => listTopics(port),
    progress: (_, log) => lastLine(log, loading),
    readyTimeoutMs: 90_000,
    knownEnds: [lockedFolder],
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 20_000,
  };
}

const logFolder = (folder: string): DataFolder => ({
  ...{ server: 'Kafka', path: join(folder, 'data'), marks: ['meta.properties'] },
});

/** What LogManager and LogLoader write while the logs of a broker that was not stopped in order are read again. */
const loading =
  /Recovering \d+ logs|Recovering unflushed segment|Completed load of|Loading producer state|rebuilding producer state/;

const lockedFolder: KnownEnd = {
  line: /Failed to acquire lock on file \.lock/,
  nextStep: 'Another Kafka uses this folder: stop it, or use another --data-dir.',
};

/** The settings of a broker that stands alone; every factor that is 3 by default must be said. */
export function kafkaProperties(settings: StackSettings, logFolder: string): string {
  const { kafka, kafkaController } = settings.ports;
  const values = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    // Static, as in the compose file: the image stays on a static quorum too.
    'controller.quorum.voters': `1@127.0.0.1:${kafkaController}`,
    listeners: `PLAINTEXT://127.0.0.1:${kafka},CONTROLLER://127.0.0.1:${kafkaController}`,
    'advertised.listeners': `PLAINTEXT://localhost:${kafka}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': logFolder,
    'auto.create.topics.enable': 'false',
    'num.partitions': '1',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
  };
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** By the variable that takes them in Kafka's image, which docker-compose.yml sets to the same. */
export const kafkaJvm = {
  KAFKA_HEAP_OPTS: ['-Xms128m', '-Xmx512m'],
  KAFKA_JVM_PERFORMANCE_OPTS: ['-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-Djava.awt.headless=true'],
} as const;

function commandOf(settings: StackSettings, parts: KafkaParts, folder: string): Command {
  return {
    file: parts.java,
    args: [...Object.values(kafkaJvm).flat(), '-cp', parts.jars.join(':')],
    cwd: folder,
    env: serverEnvironment(settings),
  };
}

/** Makes the log folder of a new cluster; the id is random, as `kafka-storage random-uuid` would make it. */
async function format(
  settings: StackSettings,
  command: Command,
  places: { readonly folder: string; readonly data: string; readonly signal: AbortSignal },
): Promise<void> {
  const { folder, data, signal } = places;
  const properties = join(folder, 'format.properties');
  await writeFile(properties, kafkaProperties(settings, data));
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const result = await execa(
    command.file,
    [...command.args, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties],
    { env: command.env, extendEnv: false, cwd: folder, reject: false, cancelSignal: signal, timeout: 60_000 },
  );
  signal.throwIfAborted();
  if (!result.failed) return;
  throw new UnreachableError(`Kafka's log folder could not be formatted: ${result.shortMessage ?? ''}`, {
    logTail: `${result.stdout}\n${result.stderr}`,
    nextStep: `Look at ${properties}.`,
  });
}

async function listTopics(port: number): Promise<void> {
  const admin = new Kafka({
    brokers: [`localhost:${port}`],
    clientId: 'cryptopipe-stack',
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2000,
    requestTimeout: 5000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}
