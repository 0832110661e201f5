import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { answerOf } from './answer.js';
import { hdfsFolder, writeHadoopConf } from './hdfs.js';
import type { Server } from './server.js';
import type { StackSettings } from './settings.js';
import { sparkCommand, writeSparkConf, type SparkParts } from './spark.js';

const className = 'org.apache.spark.deploy.worker.Worker';
/** The stream takes three (driver 1, executor 2): with fewer than six a batch job of the same size would starve beside it. */
export const leastCores = 6;
export const workerMemory = '4g';

/** Where the worker's jobs find the password of PostgreSQL; readable by this user alone. */
const passwordFile = (settings: StackSettings): string => join(settings.dataDir, 'postgres.password');

/** Spark's one Worker; drivers and executors run below it and end with it. */
export function sparkWorkerServer(settings: StackSettings, parts: SparkParts): Server {
  const folder = join(settings.dataDir, 'spark-worker');
  const { sparkRpc, sparkUi, workerRpc, workerUi } = settings.ports;
  return {
    name: 'spark-worker',
    version: parts.version,
    ports: { 'Spark worker': workerRpc, 'Spark worker web': workerUi },
    prepare: async () => {
      const work = join(folder, 'work');
      const local = join(folder, 'local');
      await Promise.all([work, local].map((path) => mkdir(path, { recursive: true })));
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
          SPARK_LOCAL_DIRS: local,
          HADOOP_CONF_DIR: join(hdfsFolder(settings), 'conf'),
          HADOOP_USER_NAME: settings.hdfsUser,
          POSTGRES_PASSWORD_FILE: passwordFile(settings),
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
