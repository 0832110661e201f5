import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/compose.js';
import { loadConfig, type Config } from '../../src/config.js';
import { ConfigError, UnreachableError } from '../../src/core/errors.js';
import type { ProcessReport, ServerName, Stack } from '../../src/core/ports/stack.js';
import { isAlive, membersOf, type ProcessId } from '../../src/stack/process-table.js';
import { readState } from '../../src/stack/state.js';
import { describeInChromium } from '../support/chromium.js';
import { attackFromPage, postFromOtherSite, webHdfsFile } from '../support/cross-site.js';
import { isLoopbackAddress, listeningOf } from '../support/listening.js';

const portOffset = 10_000;
const base = join(tmpdir(), 'cryptopipe-test', 'stack');
const say = (): void => undefined;
const soon = (): AbortSignal => AbortSignal.timeout(300_000);

function stackIn(name: string, env: Record<string, string> = {}): { stack: Stack; dataDir: string } {
  const dataDir = join(base, name);
  return { stack: createApp(configIn(dataDir, env)).stack, dataDir };
}

const configIn = (dataDir: string, env: Record<string, string> = {}): Config =>
  loadConfig(
    {},
    {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      JAVA_HOME: process.env['JAVA_HOME'],
      CRYPTOPIPE_CACHE_DIR: process.env['CRYPTOPIPE_CACHE_DIR'],
      CRYPTOPIPE_DATA_DIR: dataDir,
      CRYPTOPIPE_PORT_OFFSET: String(portOffset),
      ...env,
    },
    '/nonexistent/.env',
  );

const pidsOf = (processes: readonly ProcessReport[]): Record<string, number | undefined> =>
  Object.fromEntries(processes.map(({ name, pid }) => [name, pid]));

function recorded(dataDir: string): Record<string, ProcessId> {
  return readState(dataDir)?.processes ?? {};
}

const everyone = (dataDir: string): ProcessId[] => Object.values(recorded(dataDir)).flatMap(membersOf);

beforeAll(() => rmSync(base, { recursive: true, force: true }));
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('the whole stack', () => {
  const { stack, dataDir } = stackIn('whole');
  let started: ProcessReport[];
  const file = webHdfsFile({ nameNodeHttp: 19_870, dataNodeHttp: 19_864, nameNodeRpc: 18_020 });

  beforeAll(async () => {
    started = await stack.up({ say, signal: soon() });
  });
  afterAll(() => stack.down({ say }));

  it('runs every server on the ports of the offset', () => {
    expect(started.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'postgres running',
      'kafka running',
      'name-node running',
      'secondary-name-node running',
      'data-node running',
      'spark-master running',
      'spark-worker running',
    ]);
    expect(started.flatMap(({ ports }) => Object.values(ports)).sort()).toEqual([
      15432, 16066, 17077, 17078, 18020, 18081, 18082, 19092, 19093, 19864, 19866, 19867, 19868, 19870,
    ]);
    expect(started.every(({ memoryBytes }) => (memoryBytes ?? 0) > 5_000_000)).toBe(true);
  });

  it.runIf(process.platform === 'linux')('listens on loopback only', () => {
    const addresses = listeningOf(everyone(dataDir));
    expect(addresses.length).toBeGreaterThanOrEqual(14);
    expect(addresses.filter((address) => !isLoopbackAddress(address))).toEqual([]);
  });

  it.each(['APPEND', 'TRUNCATE&newlength=3'])(
    'refuses %s of a file by a page of another site',
    async (call) => {
      await file.write('the job');
      expect(await postFromOtherSite(file.nameNode(call))).toBe(400);
      expect(await postFromOtherSite(file.dataNode(call))).toBe(400);
      expect(await file.read()).toBe('the job');
    },
  );

  describeInChromium('in a browser', () => {
    it('a page of another origin neither changes nor reads a file', async () => {
      await file.write('the job');
      expect(await attackFromPage(file)).toBe('');
      expect(await file.read()).toBe('the job');
    }, 60_000);
  });

  it('has UTF-8, UTC and a password in PostgreSQL', async () => {
    const address = { host: 'localhost', port: 15432, user: 'crypto', database: 'crypto' };
    const client = new pg.Client({ ...address, password: 'crypto' });
    await client.connect();
    const { rows } = await client.query<Record<string, string>>(
      `SELECT current_setting('TimeZone') AS zone, current_setting('server_encoding') AS encoding,
              current_setting('password_encryption') AS password`,
    );
    await client.end();
    expect(rows).toEqual([{ zone: 'UTC', encoding: 'UTF8', password: 'scram-sha-256' }]);
    const wrong = new pg.Client({ ...address, password: 'wrong' });
    await expect(wrong.connect()).rejects.toThrow('password authentication failed');
  });

  it('leaves what runs as it is when it is started again', async () => {
    expect(pidsOf(await stack.up({ say, signal: soon() }))).toEqual(pidsOf(started));
  });

  it('refuses another port offset for the same data', async () => {
    const other = stackIn('whole', { CRYPTOPIPE_PORT_OFFSET: '10500' }).stack;
    await expect(other.up({ say, signal: soon(), only: ['kafka'] })).rejects.toThrow(
      'runs with --port-offset 10000, not 10500',
    );
  });

  it.each<ServerName>(['postgres', 'spark-worker', 'data-node'])(
    'names a killed %s and starts it again',
    async (name) => {
      const killed = recorded(dataDir)[name]!;
      process.kill(killed.pid, 'SIGKILL');
      await expect.poll(() => isAlive(killed)).toBe(false);
      expect((await stack.status()).find((process) => process.name === name)?.state).toBe('died');
      const again = await stack.up({ say, signal: soon() });
      const found = again.find((process) => process.name === name);
      expect(found?.state).toBe('running');
      expect(found?.pid).not.toBe(killed.pid);
    },
  );

  it('is ready after a killed name-node and spark-master only when HDFS is writable and the worker is known', async () => {
    for (const name of ['name-node', 'spark-master'] as const) {
      const killed = recorded(dataDir)[name]!;
      process.kill(killed.pid, 'SIGKILL');
      await expect.poll(() => isAlive(killed)).toBe(false);
    }
    await stack.up({ say, signal: soon() });
    const { files, spark } = createApp(configIn(dataDir));
    const content = new TextEncoder().encode('written at once');
    await files.write('/after-the-kill', content);
    expect(await files.read('/after-the-kill')).toEqual(Buffer.from(content));
    expect((await spark.master()).workers.map(({ state }) => state)).toContain('ALIVE');
  });

  it('leaves no process and no state behind when it is stopped', async () => {
    const members = everyone(dataDir);
    expect(members.length).toBeGreaterThan(6);
    expect(await stack.down({ say })).toEqual([
      'spark-worker',
      'data-node',
      'secondary-name-node',
      'spark-master',
      'name-node',
      'kafka',
      'postgres',
    ]);
    expect(members.filter(isAlive)).toEqual([]);
    expect(existsSync(join(dataDir, 'state.json'))).toBe(false);
    expect(await stack.down({ say })).toEqual([]);
  });
});

describe('a stack that cannot start', () => {
  const made: Stack[] = [];
  const make = (name: string, env?: Record<string, string>): ReturnType<typeof stackIn> => {
    const result = stackIn(name, env);
    made.push(result.stack);
    return result;
  };
  afterEach(async () => {
    for (const stack of made.splice(0)) await stack.down({ say });
  });

  it('names a taken port with its holder before it starts anything', async () => {
    const { stack, dataDir } = make('taken');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(19_092, '127.0.0.1', resolve));
    try {
      const tried = stack.up({ say, signal: soon(), only: ['kafka', 'postgres'] });
      await expect(tried).rejects.toThrow(ConfigError);
      await expect(tried).rejects.toThrow(`Port 19092 (kafka: Kafka) is taken by pid ${process.pid}`);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
  });

  it('shows the end of the log of a server that dies, and stops the others', async () => {
    const { stack, dataDir } = make('dies');
    await stack.up({ say, signal: soon(), only: ['kafka'] });
    await stack.down({ say });
    const meta = join(dataDir, 'kafka', 'data', 'meta.properties');
    writeFileSync(meta, readFileSync(meta, 'utf8').replace('node.id=1', 'node.id=7'));
    const error = await stack.up({ say, signal: soon(), only: ['kafka', 'postgres'] }).then(
      () => expect.fail('it came up'),
      (reason: unknown) => reason as UnreachableError,
    );
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toBe('kafka ended while it was starting: exit code 1');
    expect(error.logTail).toContain("Stored node id 7 doesn't match previous node id 1");
    expect(error.nextStep).toContain(join(dataDir, 'logs', 'kafka.log'));
    expect(existsSync(join(dataDir, 'state.json'))).toBe(false);
  });

  it('stops what it had started when it is interrupted', async () => {
    const { stack, dataDir } = make('interrupted');
    const stop = new AbortController();
    const tried = stack.up({
      say: (line) => {
        if (line.startsWith('postgres: ready')) stop.abort();
      },
      signal: stop.signal,
      only: ['postgres', 'kafka'],
    });
    const postgres = expect.poll(() => recorded(dataDir)['postgres'] !== undefined, { timeout: 30_000 });
    await postgres.toBe(true);
    const members = everyone(dataDir);
    await expect(tried).rejects.toThrow('Interrupted: what had been started is stopped again');
    expect(members.filter(isAlive)).toEqual([]);
    expect(existsSync(join(dataDir, 'state.json'))).toBe(false);
  });

  it('says that data were made with another password', async () => {
    const { stack } = make('password');
    await stack.up({ say, signal: soon(), only: ['postgres'] });
    await stack.down({ say });
    const other = make('password', { POSTGRES_PASSWORD: 'other' }).stack;
    await expect(other.up({ say, signal: soon(), only: ['postgres'] })).rejects.toThrow(
      'does not accept the password of role crypto',
    );
  });
});

describe('a first start', () => {
  it('of PostgreSQL leaves alone the file that the worker, starting beside it, may have written', async () => {
    const { stack, dataDir } = stackIn('first');
    const file = join(dataDir, 'postgres.password');
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(file, 'of the worker');
    await stack.up({ say, signal: soon(), only: ['postgres'] });
    await stack.down({ say });
    expect(readFileSync(file, 'utf8')).toBe('of the worker');
  });
});

/** Only root must run PostgreSQL as somebody else; an ordinary user is skipped, and the report says so. */
describe.runIf(userInfo().uid === 0)('PostgreSQL as root', () => {
  it('runs with its part elsewhere when cache and data are closed to its user', async () => {
    const closed = join(base, 'closed');
    mkdirSync(closed, { recursive: true, mode: 0o700 });
    const said: string[] = [];
    const { stack, dataDir } = stackIn('closed/data', { CRYPTOPIPE_CACHE_DIR: join(closed, 'cache') });
    try {
      const up = await stack.up({ say: (line) => said.push(line), signal: soon(), only: ['postgres'] });
      expect(up[0]?.state).toBe('running');
      const uid = execFileSync('ps', ['-o', 'uid=', '-p', String(up[0]?.pid)], { encoding: 'utf8' });
      expect(Number(uid)).toBeGreaterThan(0);
      expect(said.join('\n')).toMatch(
        /closed\/data is closed to user .*, so its part lies in \/var\/lib\/cryptopipe\//,
      );
      expect(said.join('\n')).toMatch(
        /closed\/cache is closed to user .*, so its part lies in \/var\/cache\/cryptopipe/,
      );
    } finally {
      await stack.down({ say });
      expect(existsSync(join(dataDir, 'state.json'))).toBe(false);
      const moved = /lies in (\/var\/lib\/cryptopipe\/\w+)/.exec(said.join('\n'))?.[1];
      if (moved !== undefined) rmSync(moved, { recursive: true, force: true });
    }
  });
});
