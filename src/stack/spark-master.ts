import { join } from 'node:path';
import { answerOf } from './answer.js';
import type { Server } from './server.js';
import type { StackSettings } from './settings.js';
import { sparkCommand, writeSparkConf, type SparkParts } from './spark.js';

const className = 'org.apache.spark.deploy.master.Master';

/** Spark's Master with its REST submission server. */
export function sparkMasterServer(settings: StackSettings, parts: SparkParts): Server {
  const folder = join(settings.dataDir, 'spark-master');
  const { sparkRpc, sparkUi, sparkRest } = settings.ports;
  return {
    name: 'spark-master',
    version: parts.version,
    ports: { 'Spark master': sparkRpc, 'Spark master web': sparkUi, 'Spark REST': sparkRest },
    prepare: async () => {
      await writeSparkConf(folder, {
        'spark.master.rest.enabled': 'true',
        'spark.master.rest.host': '127.0.0.1',
        'spark.master.rest.port': String(sparkRest),
      });
      const address = ['--host', '127.0.0.1', '--port', String(sparkRpc), '--webui-port', String(sparkUi)];
      return sparkCommand(settings, parts, { folder, args: [className, ...address], env: {} });
    },
    checkReady: async (signal) => {
      const { status } = JSON.parse(await answerOf(`http://127.0.0.1:${sparkUi}/json/`, signal)) as {
        status: string;
      };
      if (status !== 'ALIVE') throw new Error(`the master is ${status}`);
      await answerOf(`http://127.0.0.1:${sparkRest}/v1/submissions/readyz`, signal);
    },
    readyTimeoutMs: 90_000,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 15_000,
  };
}
