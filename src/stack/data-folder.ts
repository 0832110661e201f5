import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../core/errors.js';

/** A folder that holds the data of one server. */
export interface DataFolder {
  /** For messages: `PostgreSQL`. */
  readonly server: string;
  readonly path: string;
  /** Files in it, relative, that are there as soon as the server's data were made. */
  readonly marks: readonly string[];
}

/** An empty file beside the folder: data were made there once, so an empty folder is a disk that is not mounted. */
export const markerOf = ({ path }: DataFolder): string => `${path}.initialized`;

/**
 * Has a new server's data made where there are none. They are made in a folder beside it that gets the name at the end, so
 * one that was cut off is never taken for data. Nothing is ever removed from, or formatted over, a folder with files in it.
 * @param make fills the folder of the given path, which does not exist yet
 * @throws ConfigError when the folder holds something else, or when the data were made before and are not there.
 */
export async function ensureData(data: DataFolder, make: (folder: string) => Promise<void>): Promise<void> {
  if (!holdsData(data)) {
    // An empty folder may be a link to another disk.
    const place = existsSync(data.path) ? realpathSync(data.path) : data.path;
    const folder = `${place}.new`;
    await rm(folder, { recursive: true, force: true });
    await make(folder);
    await rename(folder, place).catch((cause: unknown) => {
      throw new ConfigError(`${folder} could not be renamed to ${place}: ${(cause as Error).message}`, {
        nextStep: `Where ${place} is a disk of its own, mount it one folder higher.`,
        cause,
      });
    });
  }
  await writeFile(markerOf(data), '');
}

/**
 * Whether the folder holds the server's data; false where they are still to be made.
 * @throws ConfigError as `ensureData`.
 */
export function holdsData(data: DataFolder): boolean {
  const { server, path, marks } = data;
  const missing = marks.filter((mark) => !existsSync(join(path, mark)));
  if (missing.length === 0) return true;
  if (isDanglingLink(path)) {
    throw new ConfigError(`${path} is a symbolic link to a folder that does not exist`, {
      nextStep: `Mount or make the folder that it leads to, or remove the link to begin without data of ${server}.`,
    });
  }
  if (existsSync(path) && readdirSync(path).length > 0) {
    throw new ConfigError(
      `${path} holds files that are no complete data of ${server}: there is no ${missing.join(', ')}`,
      { nextStep: 'Restore the folder, or move it away; it is neither changed nor removed.' },
    );
  }
  if (!existsSync(markerOf(data))) return false;
  throw new ConfigError(`The data of ${server} are missing: they were made in ${path}, which is empty`, {
    nextStep: `Mount or restore the folder. To begin without data, remove ${markerOf(data)}.`,
  });
}

const isDanglingLink = (path: string): boolean =>
  !existsSync(path) && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
