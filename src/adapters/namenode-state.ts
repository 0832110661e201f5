import { z } from 'zod';
import type { HdfsState } from '../core/ports/files.js';
import { jsonOf } from '../http/http-call.js';
import type { HttpClient } from '../http/http-client.js';

/** Each DataNode adds about 500 bytes. */
const maxBytes = 16 * 1024 * 1024;
const nextStep = 'Start it with `cryptopipe stack up`, or set WEBHDFS_URL.';

/** A DataNode reports each 3 s; the NameNode itself takes it for dead after ten minutes only. */
const contactLimitSeconds = 20;
const liveNodes = z.record(z.string(), z.object({ lastContact: z.number() }));

/** LiveNodes is a JSON text inside the JSON (FSNamesystem.getLiveNodes). */
const countAlive = (text: string): number =>
  Object.values(liveNodes.parse(JSON.parse(text))).filter(
    ({ lastContact }) => lastContact <= contactLimitSeconds,
  ).length;

/** The bean NameNodeInfo (org.apache.hadoop.hdfs.server.namenode.NameNodeMXBean); an empty text means no safe mode. */
const bean = z.object({
  Safemode: z.string(),
  Total: z.number(),
  Free: z.number(),
  NumberOfMissingBlocks: z.number(),
  LiveNodes: z.string().transform(countAlive),
});
const beans = z.object({ beans: z.tuple([bean]).rest(z.unknown()) });

/** Reads the NameNode's JMX page; undefined where the address is that of something else that speaks WebHDFS. */
export function createNameNodeState(
  webUrl: string,
  http: HttpClient,
): (signal?: AbortSignal) => Promise<HdfsState | undefined> {
  return async (signal) => {
    const url = `${webUrl}/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo`;
    const answer = await http.call({
      system: 'The NameNode',
      url,
      timeoutMs: 5_000,
      maxBytes,
      nextStep,
      signal,
    });
    const found = beans.safeParse(jsonOf(answer)).data?.beans[0];
    return (
      found && {
        safeMode: found.Safemode === '' ? undefined : found.Safemode,
        capacityBytes: found.Total,
        remainingBytes: found.Free,
        liveDataNodes: found.LiveNodes,
        missingBlocks: found.NumberOfMissingBlocks,
      }
    );
  };
}
