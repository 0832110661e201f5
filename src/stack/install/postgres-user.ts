import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../core/errors.js';
import type { Say } from '../../core/ports/stack.js';

/** The user that PostgreSQL runs as when we are root, which it refuses. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Where PostgreSQL's own parts lie, and as whom it runs; `user` undefined means: as we do. */
export interface PostgresPlaces {
  readonly user: ServerUser | undefined;
  readonly binFolder: string;
  readonly dataFolder: string;
}

/** The first of `names` in the text of /etc/passwd. */
export function findUser(passwd: string, names: readonly string[]): ServerUser | undefined {
  const users = passwd.split('\n').map((line) => line.split(':'));
  for (const wanted of names) {
    const [name, , uid, gid] = users.find(([user]) => user === wanted) ?? [];
    if (name !== undefined) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/** Tried, not computed: modes, access lists and mounts all have their say. The folder is made where it is missing. */
function canEnter(folder: string, user: ServerUser): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const result = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], {
    uid: user.uid,
    gid: user.gid,
    cwd: '/',
    stdio: 'ignore',
    timeout: 10_000,
  });
  return result.status === 0;
}

function enterable(folder: string, otherwise: string, user: ServerUser, say: Say): string {
  if (canEnter(folder, user)) return folder;
  mkdirSync(otherwise, { recursive: true, mode: 0o755 });
  chmodSync(otherwise, 0o755);
  if (!canEnter(otherwise, user)) throw closed(user, `${folder} nor ${otherwise}`);
  say(`postgres: ${folder} is closed to user ${user.name}, so its part lies in ${otherwise}`);
  return otherwise;
}

const closed = (user: ServerUser, folders: string): ConfigError =>
  new ConfigError(`PostgreSQL runs as user ${user.name}, who can enter neither ${folders}`, {
    nextStep: `Set CRYPTOPIPE_DATA_DIR and CRYPTOPIPE_CACHE_DIR to folders that ${user.name} can enter.`,
  });

/**
 * The folder that holds PostgreSQL's data when we are root. Where it is not in the data folder, a note there names it, so
 * that a data folder that is moved, or opened to PostgreSQL's user, keeps its database.
 * @param elsewhere finds or makes the folder to use where the data folder is closed to that user
 * @throws ConfigError when the data are where PostgreSQL's user cannot reach them.
 */
export function databasePlace(
  dataDir: string,
  canEnter: (folder: string) => boolean,
  elsewhere: () => string,
): string {
  const note = join(dataDir, 'postgres.place');
  if (existsSync(note)) {
    const place = readFileSync(note, 'utf8').trim();
    if (existsSync(place) && canEnter(place)) return place;
    throw new ConfigError(`PostgreSQL's data are in ${place} (named by ${note}), which cannot be entered`, {
      nextStep: `Restore that folder. To begin with an empty database, remove ${note}.`,
    });
  }
  if (canEnter(dataDir)) return dataDir;
  if (existsSync(join(dataDir, 'postgres', 'PG_VERSION'))) {
    throw new ConfigError(
      `PostgreSQL's data are in ${dataDir}, which is closed to the user that it runs as`,
      {
        nextStep: `Open the folders above it for passing through (chmod o+x), or move ${dataDir} back.`,
      },
    );
  }
  const place = elsewhere();
  writeFileSync(note, `${place}\n`);
  return place;
}

/**
 * PostgreSQL refuses to run as root, and the user that it runs as instead cannot look into root's home. Where the cache
 * or the data folder is closed to it, only PostgreSQL's part moves, to the system's own places.
 */
export function postgresPlaces(settings: { dataDir: string; cacheDir: string }, say: Say): PostgresPlaces {
  const { dataDir, cacheDir } = settings;
  if (process.getuid?.() !== 0) {
    return {
      user: undefined,
      binFolder: join(cacheDir, 'postgres'),
      dataFolder: join(dataDir, 'postgres'),
    };
  }
  const user = findUser(readFileSync('/etc/passwd', 'utf8'), ['postgres', 'nobody']);
  if (user === undefined) {
    throw new ConfigError('PostgreSQL does not run as root, and there is no user postgres or nobody', {
      nextStep: 'Add a user for it: useradd --system postgres',
    });
  }
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const cache = enterable(cacheDir, '/var/cache/cryptopipe', user, say);
  const data = databasePlace(
    dataDir,
    (folder) => canEnter(folder, user),
    () => enterable(dataDir, join('/var/lib/cryptopipe', hash), user, say),
  );
  return { user, binFolder: join(cache, 'postgres'), dataFolder: join(data, 'postgres') };
}
