import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ConfigError } from '../../core/errors.js';

const composeFile = z.object({
  services: z.record(z.string(), z.object({ volumes: z.array(z.string()).default([]) })),
});

/** The files and folders of the checkout that docker-compose.yml mounts into containers, from its text. */
export function mountedPaths(text: string): string[] {
  const { services } = composeFile.parse(parse(text, { merge: true }));
  const sources = Object.values(services).flatMap(({ volumes }) =>
    volumes.map((volume) => volume.split(':')[0] ?? ''),
  );
  return [...new Set(sources.filter((source) => source.startsWith('./')))];
}

const readable = 0o004;
const enterable = 0o005;

/** The paths at and below `path` that other users cannot read; relative to `folder`, as `path` is. */
async function unreadableAt(folder: string, path: string): Promise<string[]> {
  const found = await stat(join(folder, path));
  const needed = found.isDirectory() ? enterable : readable;
  if ((found.mode & needed) !== needed) return [path];
  if (!found.isDirectory()) return [];
  const names = await readdir(join(folder, path));
  return (await Promise.all(names.map((name) => unreadableAt(folder, `${path}/${name}`)))).flat();
}

/**
 * Containers read the mounted files as users of their own, so the modes of a checkout with a strict umask (027, 077) stop them.
 * @throws ConfigError that names the files and the command that opens them.
 */
export async function requireReadableMounts(folder: string): Promise<void> {
  const paths = mountedPaths(await readFile(join(folder, 'docker-compose.yml'), 'utf8'));
  const closed = (await Promise.all(paths.map((path) => unreadableAt(folder, path)))).flat();
  const [first] = closed;
  if (first === undefined) return;
  const others = closed.length === 1 ? '' : ` and ${closed.length - 1} more`;
  throw new ConfigError(`Containers cannot read ${first}${others} in ${folder}: only its owner may`, {
    nextStep: `Let other users read what containers mount: \`cd ${folder} && chmod -R a+rX ${paths.join(' ')}\`.`,
  });
}
