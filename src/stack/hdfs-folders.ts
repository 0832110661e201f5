import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../core/errors.js';
import type { DataFolder } from './data-folder.js';
import { hdfsFolder } from './hdfs.js';
import type { StackSettings } from './settings.js';

/** Every server of HDFS writes this file into its folder. */
const marks = ['current/VERSION'];

/** The folders of the three servers of HDFS. */
export function hdfsFolders(settings: Pick<StackSettings, 'dataDir'>) {
  const folder = (server: string, name: string): DataFolder => ({
    ...{ server, path: join(hdfsFolder(settings), name), marks },
  });
  return {
    name: folder('the NameNode', 'name'),
    data: folder('the DataNode', 'data'),
    checkpoints: folder('the SecondaryNameNode', 'secondary'),
  };
}

/** Which HDFS a folder belongs to: the random ids that the NameNode made when it was formatted. */
interface ClusterIds {
  readonly cluster: string | undefined;
  /** Of a DataNode's folder every pool that it has blocks of. */
  readonly pools: readonly string[];
}

/** From `current/VERSION`, a Java properties file (org.apache.hadoop.hdfs.server.common.StorageInfo). */
function clusterIdsOf({ path }: DataFolder): ClusterIds | undefined {
  const version = join(path, 'current', 'VERSION');
  if (!existsSync(version)) return undefined;
  const text = readFileSync(version, 'utf8');
  const value = (name: string): string | undefined =>
    new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1]?.trim();
  const pool = value('blockpoolID');
  const pools =
    pool === undefined ? readdirSync(join(path, 'current')).filter((name) => name.startsWith('BP-')) : [pool];
  return { cluster: value('clusterID'), pools };
}

/**
 * HDFS checks this too, but a DataNode with blocks of another NameNode then ends or waits without a word to the caller.
 * @throws ConfigError when the folder belongs to another HDFS than the NameNode's.
 */
export function requireSameHdfs(folder: DataFolder, name: DataFolder, nextStep: string): void {
  const [own, wanted] = [clusterIdsOf(folder), clusterIdsOf(name)];
  if (own === undefined || wanted === undefined) return;
  const hasItsPool = own.pools.length === 0 || own.pools.some((pool) => wanted.pools.includes(pool));
  if (own.cluster === wanted.cluster && hasItsPool) return;
  const shown = ({ cluster, pools }: ClusterIds): string => [cluster, ...pools].join(', ');
  throw new ConfigError(
    `${folder.path} of ${folder.server} belongs to another HDFS (${shown(own)}) than ${name.path} of ${name.server} (${shown(wanted)})`,
    { nextStep },
  );
}

/** @throws ConfigError when a NameNode without data would be made beside blocks, which it could never read. */
export function requireNoBlocks({ name, data, checkpoints }: ReturnType<typeof hdfsFolders>): void {
  const { path, server } = data;
  if (!existsSync(join(path, 'current', 'VERSION'))) return;
  throw new ConfigError(
    `The data of ${name.server} are missing: there is nothing in ${name.path}, but ${path} holds blocks of ${server}`,
    {
      nextStep: `Restore ${name.path}; ${checkpoints.path} holds its last checkpoint. To begin with an empty HDFS, move ${path} away; it is neither changed nor removed.`,
    },
  );
}
