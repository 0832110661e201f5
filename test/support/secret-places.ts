import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { relative } from 'node:path';
import type { FileStore } from '../../src/core/ports/files.js';

/** Where something was found to stand: a name for a person, and the text itself. */
export interface Place {
  readonly name: string;
  readonly text: string;
}

/** A value as it is, and in base64. */
const formsOf = (value: string): string[] => [
  value,
  Buffer.from(value).toString('base64').replace(/=+$/, ''),
];

/** The names of the places in which one of the values stands. */
export function hitsIn(places: readonly Place[], values: readonly string[]): string[] {
  const forms = values.flatMap(formsOf);
  return places.filter(({ text }) => forms.some((form) => text.includes(form))).map(({ name }) => name);
}

/** The files below a folder that hold one of the values, by their path in it, in order. */
export function filesWith(folder: string, values: readonly string[]): string[] {
  const patterns = values.flatMap(formsOf).flatMap((form) => ['-e', form]);
  // grep ends with 1 where it finds nothing, and with 2 where a file went away while it looked.
  const out = execFileSync('sh', ['-c', 'grep -rlaF "$@" || true', 'sh', ...patterns, folder], {
    encoding: 'utf8',
  });
  return out
    .split('\n')
    .filter((path) => path !== '')
    .map((path) => relative(folder, path))
    .sort();
}

/** The command line and the environment of every process that may be seen; `cwd` tells whose it is. */
export function processes(): {
  readonly commandLine: Place;
  readonly environment: Place;
  readonly cwd: string;
}[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const read = (what: string): Place => {
          const text = readFileSync(`/proc/${pid}/${what}`, 'utf8').replaceAll('\0', ' ');
          return { name: `${what} of ${pid}`, text };
        };
        return [
          {
            commandLine: read('cmdline'),
            environment: read('environ'),
            cwd: readlinkSync(`/proc/${pid}/cwd`),
          },
        ];
      } catch {
        return []; // it has ended, or is another user's
      }
    });
}

/** Every file below a folder of the file store. */
export async function storedFiles(files: FileStore, folder: string): Promise<Place[]> {
  const entries = await files.list(folder);
  const places = entries.map(async ({ path, isFolder }): Promise<Place[]> =>
    isFolder
      ? storedFiles(files, path)
      : [{ name: path, text: Buffer.from(await files.read(path)).toString() }],
  );
  return (await Promise.all(places)).flat();
}

/** A page that must be there. */
export async function page(url: string): Promise<Place> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return { name: url, text: await answer.text() };
}
