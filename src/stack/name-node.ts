import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { UnreachableError } from '../core/errors.js';
import { answerOf } from './answer.js';
import { hdfsCommand, hdfsFolder, hdfsServerCommand, writeHadoopConf, type HdfsParts } from './hdfs.js';
import { logPathOf } from './log-path.js';
import type { Server } from './server.js';
import type { StackSettings } from './settings.js';

const className = 'org.apache.hadoop.hdfs.server.namenode.NameNode';
// Fixed: a name folder that is made again beside blocks of another cluster would refuse them.
const clusterId = 'cryptopipe';

/** HDFS's NameNode: the folders and files of the lake, and WebHDFS. */
export function nameNodeServer(settings: StackSettings, parts: HdfsParts): Server {
  const { nameNodeRpc, nameNodeHttp } = settings.ports;
  return {
    name: 'name-node',
    version: parts.version,
    logPath: logPathOf(settings.dataDir, 'name-node'),
    ports: { NameNode: nameNodeRpc, WebHDFS: nameNodeHttp },
    prepare: async (signal) => {
      await writeHadoopConf(settings);
      if (!existsSync(join(hdfsFolder(settings), 'name', 'current', 'VERSION'))) {
        await format(settings, parts, signal);
      }
      return hdfsServerCommand(settings, parts, { name: 'name-node', className });
    },
    checkReady: async (signal) => {
      const url = `http://127.0.0.1:${nameNodeHttp}/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus`;
      const { beans } = JSON.parse(await answerOf(url, signal)) as { beans: { State?: string }[] };
      if (beans[0]?.State !== 'active') throw new Error(`the NameNode is ${beans[0]?.State ?? 'starting'}`);
    },
    readyTimeoutMs: 90_000,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 15_000,
  };
}

async function format(settings: StackSettings, parts: HdfsParts, signal: AbortSignal): Promise<void> {
  // `-force`, since a format that was cut off leaves a folder without VERSION, at which it would refuse.
  const program = [className, '-format', '-force', '-nonInteractive', '-clusterId', clusterId];
  const { file, args, env, cwd } = hdfsCommand(settings, parts, program);
  const result = await execa(file, [...args], {
    env,
    extendEnv: false,
    cwd,
    reject: false,
    cancelSignal: signal,
    timeout: 90_000,
  });
  signal.throwIfAborted();
  if (!result.failed) return;
  throw new UnreachableError(`HDFS could not be formatted: ${result.shortMessage ?? ''}`, {
    logTail: `${result.stdout}\n${result.stderr}`.split('\n').slice(-25).join('\n'),
    nextStep: `Look at ${join(hdfsFolder(settings), 'conf')}.`,
  });
}
