import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp, type App } from '../../src/compose.js';
import { loadConfig } from '../../src/config.js';
import type { CryptopipeError } from '../../src/core/errors.js';
import type { ServerName } from '../../src/core/ports/stack.js';
import { query } from '../support/postgres.js';
import { inheritedEnvironment } from '../support/stack.js';

const base = join(tmpdir(), 'cryptopipe-test', 'native-data');
const apps: App[] = [];
function appIn(dataDir: string): App {
  const environment = {
    ...inheritedEnvironment(),
    CRYPTOPIPE_DATA_DIR: dataDir,
    CRYPTOPIPE_PORT_OFFSET: '19000',
  };
  const app = createApp(loadConfig({}, environment, '/nonexistent/.env'));
  apps.push(app);
  return app;
}
const say = (): void => undefined;
const up = (app: App, ...only: ServerName[]): Promise<unknown> =>
  app.stack.up({ say, signal: AbortSignal.timeout(300_000), only });
const refusal = (app: App, ...only: ServerName[]): Promise<CryptopipeError> =>
  up(app, ...only).then(
    () => expect.fail('it came up'),
    (error: unknown) => error as CryptopipeError,
  );

const first = join(base, 'first');
const app = appIn(first);
const everything = ['postgres', 'kafka', 'data-node'] as const;
const versionOf = (folder: string, name: string): string | undefined =>
  new RegExp(`^${name}=(.*)$`, 'm').exec(readFileSync(join(first, folder), 'utf8'))?.[1];

function topicsOf({ config }: App) {
  return new Kafka({
    brokers: [`localhost:${config.native.ports.kafka}`],
    logLevel: logLevel.NOTHING,
  }).admin();
}

beforeAll(async () => {
  rmSync(base, { recursive: true, force: true });
  await up(app, ...everything);
  await query(app.config.postgres, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await app.files.write('/kept', new TextEncoder().encode('of the first place'));
  const admin = topicsOf(app);
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'kept' }] });
  await admin.disconnect();
  await app.stack.down({ say });
});
afterAll(async () => {
  for (const one of apps) await one.stack.down({ say });
  for (const one of apps) await one.close();
  rmSync(base, { recursive: true, force: true });
});

describe('the data of the servers', () => {
  it('have random ids, which each server keeps with its data', () => {
    const cluster = versionOf('hdfs/name/current/VERSION', 'clusterID');
    expect(cluster).toMatch(/^CID-[0-9a-f-]{36}$/);
    expect(versionOf('hdfs/data/current/VERSION', 'clusterID')).toBe(cluster);
    expect(versionOf('kafka/data/meta.properties', 'cluster.id')).toMatch(/^[\w-]{22}$/);
  });

  it.each([
    ['kafka', 'kafka/data', 'meta.properties', 'Kafka'],
    ['name-node', 'hdfs/name', 'current/VERSION', 'the NameNode'],
    ['postgres', 'postgres', 'global/pg_control', 'PostgreSQL'],
  ] as const)(
    'of %s are neither used nor made again without one of their files',
    async (server, folder, file, name) => {
      const path = join(first, folder, file);
      renameSync(path, `${path}.away`);
      const before = statSync(join(first, folder)).ino;
      const { message, exitCode } = await refusal(app, server);
      renameSync(`${path}.away`, path);
      expect(message).toBe(
        `${join(first, folder)} holds files that are no complete data of ${name}: there is no ${file}`,
      );
      expect(exitCode).toBe(3);
      expect(statSync(join(first, folder)).ino).toBe(before);
    },
  );

  it('of a DataNode are not taken by the NameNode of another HDFS', async () => {
    const name = join(first, 'hdfs', 'name');
    renameSync(name, `${name}.away`);
    rmSync(`${name}.initialized`);
    const empty = await refusal(app, 'name-node');
    expect(empty.message).toContain('holds blocks of the DataNode');
    expect(existsSync(name)).toBe(false);
    // Somebody formats it all the same.
    renameSync(join(first, 'hdfs', 'data'), join(first, 'hdfs', 'data.away'));
    rmSync(join(first, 'hdfs', 'data.initialized'));
    await up(app, 'name-node');
    await app.stack.down({ say });
    renameSync(join(first, 'hdfs', 'data.away'), join(first, 'hdfs', 'data'));
    const other = await refusal(app, 'data-node');
    expect(other.message).toMatch(/hdfs\/data of the DataNode belongs to another HDFS \(CID-/);
    rmSync(name, { recursive: true });
    renameSync(`${name}.away`, name);
  });
});

describe('postmaster.pid', () => {
  it('stays when it names a process that lives, and the refusal of PostgreSQL is explained', async () => {
    const folder = join(first, 'postgres');
    const lock = join(folder, 'postmaster.pid');
    const { uid, gid } = statSync(folder);
    const other = spawn('sleep', ['60'], { cwd: '/', uid, gid });
    await once(other, 'spawn');
    try {
      writeFileSync(lock, `${other.pid ?? ''}\n${folder}\n1700000000\n5432\n\n127.0.0.1\n  1 2\nready   \n`);
      const { message, nextStep, exitCode } = await refusal(app, 'postgres');
      expect(message).toMatch(
        /^postgres ended while it was starting: .*lock file "postmaster.pid" already exists$/,
      );
      expect(nextStep).toContain('remove postmaster.pid');
      expect(exitCode).toBe(4);
      expect(readFileSync(lock, 'utf8')).toContain(`${other.pid ?? ''}\n`);
    } finally {
      other.kill('SIGKILL');
    }
    await once(other, 'exit');
    // Now it is the lock of a server that was killed, which PostgreSQL replaces itself.
    await up(app, 'postgres');
    await app.stack.down({ say });
  });
});

describe('a data folder that is moved', () => {
  const readAll = async (moved: App): Promise<unknown[]> => {
    const admin = topicsOf(moved);
    await admin.connect();
    const topics = await admin.listTopics();
    await admin.disconnect();
    const rows = await query(moved.config.postgres, 'SELECT answer FROM kept');
    return [rows, new TextDecoder().decode(await moved.files.read('/kept')), topics.includes('kept')];
  };
  const kept = [[{ answer: 42 }], 'of the first place', true];

  it('keeps its data, at its new place and behind a symbolic link', async () => {
    renameSync(first, join(base, 'second'));
    const moved = appIn(join(base, 'second'));
    await up(moved, ...everything);
    expect(await readAll(moved)).toEqual(kept);
    await moved.stack.down({ say });
    symlinkSync(join(base, 'second'), join(base, 'link'));
    const linked = appIn(join(base, 'link'));
    await up(linked, ...everything);
    expect(await readAll(linked)).toEqual(kept);
    await linked.stack.down({ say });
  });
});
