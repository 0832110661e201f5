import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answerOf } from './answer.js';
import { hdfsFolder, writeHadoopConf } from './hdfs.js';
import { logPathOf } from './log-path.js';
import { makePrivateFolder } from './private-folder.js';
import type { Server } from './server.js';
import type { StackSettings } from './settings.js';
import { rolling } from './server-log.js';
import { daemonLog, sparkCommand, writeSparkConf, type SparkParts } from './spark.js';

const className = 'org.apache.spark.deploy.worker.Worker';
/** The stream takes three (driver 1, executor 2): with fewer than six a batch job of the same size would starve beside it. */
export const leastCores = 6;
export const workerMemory = '4g';

/** The Python of every driver: checks the program, then runs it. The Docker image has the same file. */
export const driverPython = fileURLToPath(new URL('../../docker/spark/driver-python.sh', import.meta.url));

/** Copied, since drivers that are started later must not depend on where cryptopipe lies. */
async function installDriverPython(folder: string): Promise<string> {
  const path = join(folder, 'driver-python.sh');
  await copyFile(driverPython, path);
  await chmod(path, 0o755);
  return path;
}

/**
 * What the worker does with what its jobs leave, here and in docker-compose.yml. The folder of a driver or an application
 * that has ended is removed seven days after the last change in it; folders of running ones stay.
 * https://spark.apache.org/docs/latest/spark-standalone.html#cluster-launch-scripts
 */
export const sparkWorkerSettings: Readonly<Record<string, string>> = {
  'spark.worker.cleanup.enabled': 'true',
  'spark.worker.cleanup.appDataTtl': String(7 * 24 * 3600),
  'spark.executor.logs.rolling.strategy': 'size',
  'spark.executor.logs.rolling.maxSize': String(rolling.maxBytes),
  'spark.executor.logs.rolling.maxRetainedFiles': String(rolling.keptFiles),
};

/** Where the worker's jobs find the password of PostgreSQL; readable by this user alone. */
const passwordFile = (settings: StackSettings): string => join(settings.dataDir, 'postgres.password');

/** Spark's one Worker; drivers and executors run below it and end with it. */
export function sparkWorkerServer(settings: StackSettings, parts: SparkParts): Server {
  const folder = join(settings.dataDir, 'spark-worker');
  const { sparkRpc, sparkUi, workerRpc, workerUi } = settings.ports;
  const logPath = logPathOf(settings.dataDir, 'spark-worker');
  return {
    name: 'spark-worker',
    version: parts.version,
    logPath,
    ports: { 'Spark worker': workerRpc, 'Spark worker web': workerUi },
    prepare: async () => {
      const work = join(folder, 'work');
      const local = join(folder, 'local');
      await Promise.all([work, local].map(makePrivateFolder));
      // Empty, since every driver would take what stands in it.
      await writeSparkConf(folder, {});
      await writeFile(passwordFile(settings), settings.postgres.password, { mode: 0o600 });
      await writeHadoopConf(settings);
      const cores = Math.max(leastCores, availableParallelism());
      return sparkCommand(settings, parts, {
        folder,
        args: [
          ...[
            className,
            '--host',
            '127.0.0.1',
            '--port',
            String(workerRpc),
            '--webui-port',
            String(workerUi),
          ],
          ...['--cores', String(cores), '--memory', workerMemory, '--work-dir', work],
          `spark://127.0.0.1:${sparkRpc}`,
        ],
        env: {
          SPARK_WORKER_OPTS: [
            await daemonLog(folder, logPath),
            ...Object.entries(sparkWorkerSettings).map(([name, value]) => `-D${name}=${value}`),
          ].join(' '),
          SPARK_LOCAL_DIRS: local,
          HADOOP_CONF_DIR: join(hdfsFolder(settings), 'conf'),
          HADOOP_USER_NAME: settings.hdfsUser,
          POSTGRES_PASSWORD_FILE: passwordFile(settings),
          PYSPARK_DRIVER_PYTHON: await installDriverPython(folder),
        },
      });
    },
    checkReady: (signal) => isAliveAtMaster(workerUi, sparkUi, signal),
    readyTimeoutMs: 90_000,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 20_000,
  };
}

/** By its own id: the master still counts a killed worker among the living for a minute. */
async function isAliveAtMaster(workerUi: number, masterUi: number, signal: AbortSignal): Promise<void> {
  const own = JSON.parse(await answerOf(`http://127.0.0.1:${workerUi}/json/`, signal)) as { id: string };
  const master = JSON.parse(await answerOf(`http://127.0.0.1:${masterUi}/json/`, signal)) as {
    workers: { id: string; state: string }[];
  };
  const state = master.workers.find((worker) => worker.id === own.id)?.state;
  if (state !== 'ALIVE') throw new Error(`the master calls the worker ${state ?? 'unknown'}`);
}
