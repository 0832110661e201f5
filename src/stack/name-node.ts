import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { z } from 'zod';
import { UnreachableError } from '../core/errors.js';
import { answerOf } from './answer.js';
import { ensureData } from './data-folder.js';
import { hdfsFolders, requireNoBlocks } from './hdfs-folders.js';
import {
  hdfsCommand,
  hdfsFolder,
  hdfsServerCommand,
  lockedFolder,
  writeHadoopConf,
  type HdfsParts,
} from './hdfs.js';
import { logPathOf } from './log-path.js';
import type { Server } from './server.js';
import type { StackSettings } from './settings.js';

const className = 'org.apache.hadoop.hdfs.server.namenode.NameNode';

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
      const folders = hdfsFolders(settings);
      await ensureData(folders.name, async (folder) => {
        requireNoBlocks(folders);
        await format(settings, parts, { folder, signal });
      });
      return hdfsServerCommand(settings, parts, { name: 'name-node', className });
    },
    checkReady: async (signal) => {
      const url = `http://127.0.0.1:${nameNodeHttp}/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus`;
      const { beans } = JSON.parse(await answerOf(url, signal)) as { beans: { State?: string }[] };
      if (beans[0]?.State !== 'active') throw new Error(`the NameNode is ${beans[0]?.State ?? 'starting'}`);
    },
    progress: (signal) => startupProgress(settings, signal),
    readyTimeoutMs: 90_000,
    knownEnds: [lockedFolder],
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 15_000,
  };
}

const progressSchema = z.object({
  phases: z.array(
    z.object({
      desc: z.string(),
      status: z.enum(['PENDING', 'RUNNING', 'COMPLETE']),
      steps: z.array(z.object({ count: z.number(), total: z.number() })),
    }),
  ),
});

/** How far the NameNode's start is: image, edits, and the blocks that its safe mode waits for (HDFS's StartupProgressServlet). */
export async function startupProgress({ ports }: StackSettings, signal: AbortSignal): Promise<string> {
  const answer = await answerOf(`http://127.0.0.1:${ports.nameNodeHttp}/startupProgress`, signal);
  return describeStartup(JSON.parse(answer));
}

export function describeStartup(answer: unknown): string {
  const { phases } = progressSchema.parse(answer);
  const running = phases.filter(({ status }) => status === 'RUNNING');
  if (running.length === 0)
    return phases.every(({ status }) => status === 'COMPLETE') ? 'complete' : 'between two phases';
  return running
    .map(({ desc, steps }) => {
      const sum = (of: 'count' | 'total'): number => steps.reduce((all, step) => all + step[of], 0);
      return `${desc}, ${sum('count')} of ${sum('total')}`;
    })
    .join('; ');
}

/** Makes an empty file system with random ids; without `-force` HDFS itself refuses a folder with files in it. */
async function format(
  settings: StackSettings,
  parts: HdfsParts,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<void> {
  const place = ['-D', `dfs.namenode.name.dir=${pathToFileURL(folder).href}`];
  const program = [className, ...place, '-format', '-nonInteractive'];
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
