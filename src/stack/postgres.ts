import { mkdirSync, chownSync } from 'node:fs';
import { mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { escapeIdentifier } from 'pg';
import { ConfigError, UnreachableError } from '../core/errors.js';
import { passFileOf } from '../core/settings.js';
import type { Installed } from './install/install.js';
import { ensureData } from './data-folder.js';
import { logPathOf } from './log-path.js';
import { lastLine } from './log-tail.js';
import { sqlStateOf, withClient } from './postgres-client.js';
import { awaitEndOfSessions } from './postgres-folder.js';
import type { Command, KnownEnd, Server } from './server.js';
import { serverEnvironment, type StackSettings } from './settings.js';

type Postgres = NonNullable<Installed['postgres']>;

/** PostgreSQL: the role and the database of the configuration, reached over loopback with a password. */
export function postgresServer(settings: StackSettings, postgres: Postgres): Server {
  const port = settings.ports.postgres;
  const logPath = logPathOf(settings.dataDir, 'postgres');
  return {
    name: 'postgres',
    version: postgres.version,
    ports: { PostgreSQL: port },
    logPath,
    prepare: async (signal) => {
      const data = {
        server: 'PostgreSQL',
        path: postgres.dataFolder,
        marks: ['PG_VERSION', 'global/pg_control'],
      };
      await ensureData(data, (folder) => initialize(folder, settings, postgres, signal));
      await awaitEndOfSessions(postgres.dataFolder);
      await writeFile(passFileOf(settings.dataDir), passFileText(settings), { mode: 0o600 });
      await removeOldLogs(join(postgres.dataFolder, logFolder));
      await linkLog(logPath, join(postgres.dataFolder, logFolder));
      return commandOf(settings, postgres);
    },
    checkReady: (signal) => answersAsRole(settings, signal),
    progress: (_, log) => lastLine(log, recovering),
    readyTimeoutMs: 60_000,
    knownEnds,
    stopSignal: 'SIGINT', // Its "fast shutdown": ends the sessions, writes a checkpoint.
    stopTimeoutMs: 30_000,
  };
}

/** While it recovers it writes such a line each ten seconds (log_startup_progress_interval), with a new position or path. */
const recovering =
  /redo (starts|in progress|done)|, elapsed time: .* current (LSN|path)|checkpoint (starting|complete)/;

const knownEnds: readonly KnownEnd[] = [
  {
    line: /lock file ".*" already exists/,
    nextStep:
      'Stop the server with the pid in the first line of postmaster.pid in the data folder. If that is another program, and no server of another computer or container uses the folder, remove postmaster.pid.',
  },
  {
    line: /pre-existing shared memory block .* is still in use/,
    nextStep:
      'Sessions of a killed server still run in the data folder: end the postgres processes that work there.',
  },
  {
    line: /lock file ".*" is empty/,
    nextStep: 'If no server uses the data folder, remove postmaster.pid in it.',
  },
  {
    line: /data directory ".*" has (wrong ownership|invalid permissions)/,
    nextStep:
      'The folder must belong to the user that PostgreSQL runs as, with mode 0700: correct it with chown and chmod.',
  },
  {
    line: /database files are incompatible with server/,
    nextStep: 'Set CRYPTOPIPE_POSTGRES_BIN to a server of the version in PG_VERSION of the data folder.',
  },
];

/** One line of a password file (libpq): host, port, database, user, password. */
export function passFileText({ ports, postgres }: StackSettings): string {
  const escape = (text: string): string => text.replace(/[\\:]/g, '\\$&');
  return ['localhost', '127.0.0.1']
    .map((host) => [host, ports.postgres, '*', escape(postgres.user), escape(postgres.password)].join(':'))
    .map((line) => `${line}\n`)
    .join('');
}

/** What the server is told, here and in docker-compose.yml. */
export const postgresOptions = {
  max_connections: '60',
  shared_buffers: '128MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
} as const;

/** A file that this day of last week wrote, before a stop: the server begins only those anew that it reaches while it runs. */
async function removeOldLogs(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const { mtimeMs } = await stat(join(folder, name));
    if (Date.now() - mtimeMs > sixDaysMs) await rm(join(folder, name));
  }
}

const sixDaysMs = 6 * 86_400_000;

/** A link beside the logs of the others; what was there is a link too, or a log of a version that did not roll. */
async function linkLog(link: string, folder: string): Promise<void> {
  await mkdir(dirname(link), { recursive: true, mode: 0o700 });
  await rm(link, { force: true });
  await symlink(folder, link);
}

/** In its data folder, which belongs to the user that the server runs as. */
const logFolder = 'log';

/**
 * A file for each day of the week, which the same day of the next week begins anew. PostgreSQL has no way to keep a number of
 * files by their size: one that is rolled by size and given a name that exists is appended to.
 * https://www.postgresql.org/docs/current/runtime-config-logging.html#GUC-LOG-TRUNCATE-ON-ROTATION
 */
const postgresLog = {
  logging_collector: 'on',
  log_directory: logFolder,
  log_filename: 'postgresql-%a.log',
  log_rotation_age: '1d',
  log_rotation_size: '0',
  log_truncate_on_rotation: 'on',
} as const;

/** How the database is made: from 17 on the locale is built in; before, the system must have it. */
export function initdbFlags(version: string): string[] {
  const locale =
    Number.parseInt(version, 10) >= 17
      ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
      : ['--locale=C.UTF-8'];
  return ['--encoding=UTF8', ...locale];
}

function commandOf(settings: StackSettings, postgres: Postgres): Command {
  // On the command line and not in a file, so that a port offset holds for a folder that was made with another.
  const options = {
    listen_addresses: '127.0.0.1',
    port: String(settings.ports.postgres),
    unix_socket_directories: '',
    ...postgresOptions,
    ...postgresLog,
  };
  return {
    file: join(postgres.binFolder, 'postgres'),
    args: [
      '-D',
      postgres.dataFolder,
      ...Object.entries(options).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    cwd: postgres.dataFolder,
    env: serverEnvironment(settings),
    ...userOf(postgres),
  };
}

const userOf = ({ user }: Postgres): { uid?: number; gid?: number } =>
  user === undefined ? {} : { uid: user.uid, gid: user.gid };

/** Makes a cluster in a folder that does not exist yet. */
async function initialize(
  folder: string,
  settings: StackSettings,
  postgres: Postgres,
  signal: AbortSignal,
): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { user } = postgres;
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  // Not `postgres.password`: that is the worker's, which starts at the same time.
  const passwordFile = `${postgres.dataFolder}.initdb-password`;
  await writeFile(passwordFile, settings.postgres.password, { mode: 0o600 });
  if (user !== undefined) chownSync(passwordFile, user.uid, user.gid);
  const result = await execa(
    join(postgres.binFolder, 'initdb'),
    [
      ...['-D', folder, '-U', settings.postgres.user, `--pwfile=${passwordFile}`],
      ...['--auth=scram-sha-256', ...initdbFlags(postgres.version), '--no-instructions'],
    ],
    {
      env: serverEnvironment(settings),
      extendEnv: false,
      cwd: folder,
      reject: false,
      cancelSignal: signal,
      timeout: 120_000,
      ...userOf(postgres),
    },
  );
  await rm(passwordFile, { force: true });
  signal.throwIfAborted();
  if (result.failed) {
    throw new UnreachableError(`initdb failed in ${folder}: ${result.shortMessage ?? ''}`, {
      logTail: `${result.stdout}\n${result.stderr}`,
    });
  }
}

async function answersAsRole(settings: StackSettings, signal: AbortSignal): Promise<void> {
  const { database } = settings.postgres;
  try {
    await withClient(settings, database, (client) => client.query('SELECT 1'));
  } catch (error) {
    const code = sqlStateOf(error);
    if (code === '28P01' || code === '28000') throw wrongPassword(settings, error);
    if (code !== '3D000') throw error; // 3D000: there is no such database yet.
    signal.throwIfAborted();
    await withClient(settings, 'postgres', (client) =>
      client.query(`CREATE DATABASE ${escapeIdentifier(database)}`),
    );
    await withClient(settings, database, (client) => client.query('SELECT 1'));
  }
}

function wrongPassword(settings: StackSettings, cause: unknown): ConfigError {
  return new ConfigError(`PostgreSQL does not accept the password of role ${settings.postgres.user}`, {
    nextStep: `Its data in ${settings.dataDir} was made with other values of POSTGRES_USER and POSTGRES_PASSWORD; use those, or another --data-dir.`,
    cause,
  });
}
