import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp, stackSettings } from '../../src/compose.js';
import { loadConfig } from '../../src/config.js';
import { install } from '../../src/stack/install/install.js';
import { hadoopXml, hdfsSite } from '../../src/stack/hdfs.js';
import { startServers } from '../../src/stack/runner.js';
import type { Server } from '../../src/stack/server.js';
import { describeServers, wantedServers } from '../../src/stack/servers.js';
import { inheritedEnvironment } from '../support/stack.js';

const dataDir = join(tmpdir(), 'cryptopipe-test', 'native-checkpoint');
const config = loadConfig(
  {},
  { ...inheritedEnvironment(), CRYPTOPIPE_DATA_DIR: dataDir, CRYPTOPIPE_PORT_OFFSET: '19000' },
  '/nonexistent/.env',
);
const app = createApp(config);
const settings = stackSettings(config);
const say = (): void => undefined;
const name = join(dataDir, 'hdfs', 'name', 'current');

/** The numbers in the names of files: `fsimage_0000000000000000042` is the state after transaction 42. */
const numbersOf = (pattern: RegExp): number[] =>
  readdirSync(name)
    .map((file) => pattern.exec(file)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
const images = (): number[] => numbersOf(/^fsimage_(\d+)$/);
const finishedEdits = (): number[] => numbersOf(/^edits_(\d+)-\d+$/);

/** The thresholds of hours and a hundred thousand transactions, as seconds and tens. */
function withSmallThresholds(server: Server): Server {
  const small = {
    'dfs.namenode.checkpoint.txns': '40',
    'dfs.namenode.checkpoint.check.period': '1',
    'dfs.namenode.num.extra.edits.retained': '0',
    'dfs.namenode.num.checkpoints.retained': '1',
  };
  const prepare: Server['prepare'] = async (signal) => {
    const command = await server.prepare(signal);
    writeFileSync(
      join(dataDir, 'hdfs', 'conf', 'hdfs-site.xml'),
      hadoopXml({ ...hdfsSite(settings), ...small }),
    );
    return command;
  };
  return { ...server, prepare };
}

beforeAll(async () => {
  rmSync(dataDir, { recursive: true, force: true });
  const names = wantedServers({ only: ['data-node', 'secondary-name-node'] });
  const signal = AbortSignal.timeout(300_000);
  const installed = await install({ settings, servers: names, say, signal });
  const servers = describeServers(names, settings, installed).map(withSmallThresholds);
  await startServers(servers, { settings, say, signal });
});
afterAll(async () => {
  await app.stack.down({ say });
  await app.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('the SecondaryNameNode', () => {
  it('merges the edit log into the image while the NameNode runs, and what is merged is removed', async () => {
    const [before] = images();
    expect(before).toBe(0);
    for (let file = 0; file < 30; file += 1)
      await app.files.write(`/checkpoint/${file}`, new TextEncoder().encode(`file ${file}`));
    await expect.poll(() => images().at(-1), { timeout: 60_000, interval: 500 }).toBeGreaterThan(100);
    await expect.poll(images, { timeout: 30_000, interval: 500 }).toHaveLength(1);
    const [image] = images();
    // Older edits are in the image: the next start replays none of them.
    expect(finishedEdits().filter((first) => first <= (image ?? 0))).toEqual([]);
    const text = readFileSync(join(dataDir, 'hdfs', 'secondary', 'current', 'VERSION'), 'utf8');
    expect(/^clusterID=(.*)$/m.exec(text)?.[1]).toMatch(/^CID-[0-9a-f-]{36}$/);
  });

  it('leaves an image from which the NameNode starts with every file', async () => {
    const [image] = images();
    await app.stack.down({ say });
    await app.stack.up({ say, signal: AbortSignal.timeout(300_000), only: ['data-node'] });
    expect(images()[0]).toBe(image);
    expect(new TextDecoder().decode(await app.files.read('/checkpoint/29'))).toBe('file 29');
    const log = readFileSync(join(dataDir, 'logs', 'name-node.log'), 'utf8');
    expect(log).toMatch(new RegExp(`Loaded image for txid ${image ?? ''} `));
  });
});
