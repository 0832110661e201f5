import { answerOf } from './answer.js';
import { hdfsFolders, requireSameHdfs } from './hdfs-folders.js';
import { hdfsServerCommand, lockedFolder, type HdfsParts } from './hdfs.js';
import { logPathOf } from './log-path.js';
import type { Server } from './server.js';
import type { StackSettings } from './settings.js';

const className = 'org.apache.hadoop.hdfs.server.namenode.SecondaryNameNode';

/** HDFS's SecondaryNameNode: merges the NameNode's edit log into its image, which the NameNode does at its start only. */
export function secondaryNameNodeServer(settings: StackSettings, parts: HdfsParts): Server {
  const { secondaryNameNodeHttp } = settings.ports;
  return {
    name: 'secondary-name-node',
    version: parts.version,
    logPath: logPathOf(settings.dataDir, 'secondary-name-node'),
    ports: { 'SecondaryNameNode web': secondaryNameNodeHttp },
    prepare: async () => {
      const { name, checkpoints } = hdfsFolders(settings);
      requireSameHdfs(
        checkpoints,
        name,
        `Move ${checkpoints.path} away: it is made again from the NameNode.`,
      );
      return hdfsServerCommand(settings, parts, { name: 'secondary-name-node', className });
    },
    checkReady: async (signal) => {
      const bean = 'Hadoop:service=SecondaryNameNode,name=SecondaryNameNodeInfo';
      const url = `http://127.0.0.1:${secondaryNameNodeHttp}/jmx?qry=${bean}`;
      const { beans } = JSON.parse(await answerOf(url, signal)) as { beans: unknown[] };
      if (beans.length === 0) throw new Error('the SecondaryNameNode is starting');
    },
    readyTimeoutMs: 90_000,
    knownEnds: [lockedFolder],
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 15_000,
  };
}
