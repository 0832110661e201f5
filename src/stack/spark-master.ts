import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { restKeyFileOf } from '../core/rest-key.js';
import { answerOf } from './answer.js';
import { logPathOf } from './log-path.js';
import type { Server } from './server.js';
import type { StackSettings } from './settings.js';
import { daemonLog, sparkCommand, writeSparkConf, type SparkParts } from './spark.js';

/** Takes calls to the REST server that carry a token signed with the key, and answers the others by 403. */
const filter = 'org.apache.spark.ui.JWSFilter';
const className = 'org.apache.spark.deploy.master.Master';

/** Spark's Master with its REST submission server. */
export function sparkMasterServer(settings: StackSettings, parts: SparkParts): Server {
  const folder = join(settings.dataDir, 'spark-master');
  const { sparkRpc, sparkUi, sparkRest } = settings.ports;
  const logPath = logPathOf(settings.dataDir, 'spark-master');
  return {
    name: 'spark-master',
    version: parts.version,
    logPath,
    ports: { 'Spark master': sparkRpc, 'Spark master web': sparkUi, 'Spark REST': sparkRest },
    prepare: async () => {
      // Private: it holds the commands of the drivers with their environment.
      const recovery = join(folder, 'recovery');
      await mkdir(recovery, { recursive: true, mode: 0o700 });
      await writeSparkConf(folder, sparkMasterSettings(sparkRest, recovery, await restKeyOf(settings)));
      const address = ['--host', '127.0.0.1', '--port', String(sparkRpc), '--webui-port', String(sparkUi)];
      const env = { SPARK_MASTER_OPTS: await daemonLog(folder, logPath) };
      return sparkCommand(settings, parts, { folder, args: [className, ...address], env });
    },
    checkReady: async (signal) => {
      const { status } = JSON.parse(await answerOf(`http://127.0.0.1:${sparkUi}/json/`, signal)) as {
        status: string;
      };
      if (status !== 'ALIVE') throw new Error(`the master is ${status}`);
      await answerOf(`http://127.0.0.1:${sparkRest}/v1/submissions/readyz`, signal, {
        token: settings.sparkRest.token(),
      });
    },
    readyTimeoutMs: 90_000,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 15_000,
  };
}

export function sparkMasterSettings(
  restPort: number,
  recoveryFolder: string,
  restKey: string,
): Record<string, string> {
  return {
    'spark.master.rest.enabled': 'true',
    'spark.master.rest.host': '127.0.0.1',
    'spark.master.rest.port': String(restPort),
    'spark.master.rest.filters': filter,
    // In a file, since an argument stands in the list of processes; "secret" in its name hides it on the web page.
    [`spark.${filter}.param.secretKey`]: restKey,
    // Its web page asks nobody who they are; a form of any web site could post to it.
    'spark.ui.killEnabled': 'false',
    // Without it a master that restarts has the workers kill every driver, since it knows none.
    'spark.deploy.recoveryMode': 'FILESYSTEM',
    'spark.deploy.recoveryDirectory': recoveryFolder,
    // How long it waits for workers and applications that died with it; on loopback the living answer at once.
    'spark.deploy.recoveryTimeout': '20s',
  };
}

/** The key set by hand, else the stack's own, which the installation has made. */
const restKeyOf = async ({ sparkRest, dataDir }: StackSettings): Promise<string> =>
  sparkRest.key ?? (await readFile(restKeyFileOf(dataDir), 'utf8')).trim();
