import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { answerOf } from './answer.js';
import { holdsData, markerOf } from './data-folder.js';
import { hdfsFolders, requireSameHdfs } from './hdfs-folders.js';
import { hdfsServerCommand, lockedFolder, type HdfsParts } from './hdfs.js';
import { logPathOf } from './log-path.js';
import { startupProgress } from './name-node.js';
import type { Server } from './server.js';
import type { StackSettings } from './settings.js';

const className = 'org.apache.hadoop.hdfs.server.datanode.DataNode';

const otherHdfs =
  'Restore the folder that fits, or move the one that does not fit away; neither is changed or removed.';

/** HDFS's DataNode: the bytes of the lake. Ready when a file went there and back through WebHDFS. */
export function dataNodeServer(settings: StackSettings, parts: HdfsParts): Server {
  const { dataNodeHttp, dataNodeData, dataNodeIpc } = settings.ports;
  const { name, data } = hdfsFolders(settings);
  return {
    name: 'data-node',
    version: parts.version,
    logPath: logPathOf(settings.dataDir, 'data-node'),
    ports: { 'DataNode web': dataNodeHttp, 'DataNode data': dataNodeData, 'DataNode IPC': dataNodeIpc },
    prepare: async () => {
      // It formats an empty folder itself.
      holdsData(data);
      requireSameHdfs(data, name, otherHdfs);
      return hdfsServerCommand(settings, parts, { name: 'data-node', className });
    },
    checkReady: async (signal) => {
      await roundTrip(settings, signal);
      await writeFile(markerOf(data), '');
    },
    // The NameNode leaves its safe mode when the blocks are reported.
    progress: (signal) => startupProgress(settings, signal),
    readyTimeoutMs: 90_000,
    knownEnds: [lockedFolder],
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 15_000,
  };
}

/** Puts, gets and removes a probe file. A path of its own each time: a call that timed out may still hold the last one. */
async function roundTrip(settings: StackSettings, signal: AbortSignal): Promise<void> {
  const content = randomUUID();
  const base = `http://127.0.0.1:${settings.ports.nameNodeHttp}/webhdfs/v1/.cryptopipe-probe-${content}`;
  const call = (operation: string): string =>
    `${base}?op=${operation}&user.name=${encodeURIComponent(settings.hdfsUser)}`;
  // Asked for the address instead of a redirect: the body must go to the DataNode, not to the NameNode before it.
  const { Location } = JSON.parse(
    await answerOf(call('CREATE&overwrite=true&noredirect=true'), signal, { method: 'PUT' }),
  ) as { Location: string };
  try {
    await answerOf(Location, signal, { method: 'PUT', body: content });
    const found = await answerOf(call('OPEN'), signal);
    if (found !== content) throw new Error('HDFS gave back other bytes than it was given');
  } finally {
    await answerOf(call('DELETE'), signal, { method: 'DELETE' });
  }
}
