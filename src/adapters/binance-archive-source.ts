import { mkdtemp, open, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pRetry from 'p-retry';
import { ConfigError, UnreachableError } from '../core/errors.js';

/** Where the archive is: an http(s) address, or the `file:` URL of a folder with the same tree. */
export interface ArchiveSource {
  readonly url: string;
  /** The longest silence of the server; not the length of a download. Default 30 s. */
  readonly silenceMs?: number;
  /** How often a download that broke is begun again. Default 3. */
  readonly retries?: number;
}

/** A day of the busiest symbol has some 20 MB; what is longer than this is not such a file. */
const mostBytes = 2 ** 30;
const nextStep = 'Check the network, or name another archive by CRYPTO_ARCHIVE_URL; a folder will do.';

/**
 * A file of the archive, open for reading from its beginning; undefined where the archive has none. What was downloaded lies
 * in a file that has no name any more, so that nothing is left of it, however the process ends.
 *
 * @throws UnreachableError when the server does not answer in full, also not after some tries; ConfigError when a local
 * file is there and cannot be read.
 */
export async function openArchived(
  source: ArchiveSource,
  path: string,
  signal?: AbortSignal,
): Promise<FileHandle | undefined> {
  const url = new URL(`${source.url.replace(/\/+$/, '')}/${path}`);
  if (url.protocol === 'file:') return openLocal(fileURLToPath(url));
  return pRetry(() => download(url, source.silenceMs ?? 30_000, signal), {
    retries: source.retries ?? 3,
    minTimeout: 500,
    maxTimeout: 5_000,
    shouldRetry: ({ error }) => error instanceof UnreachableError && error.retryable,
    ...(signal === undefined ? {} : { signal }),
  });
}

async function openLocal(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`${path} cannot be read: ${(error as Error).message}`, {
      nextStep: 'Check CRYPTO_ARCHIVE_URL, and that this user may read the folder.',
      cause: error,
    });
  }
}

async function download(url: URL, silenceMs: number, signal?: AbortSignal): Promise<FileHandle | undefined> {
  const quiet = new AbortController();
  const timer = setTimeout(() => quiet.abort(), silenceMs);
  const stop = signal === undefined ? quiet.signal : AbortSignal.any([quiet.signal, signal]);
  let file: FileHandle | undefined;
  try {
    const response = await fetch(url, { signal: stop });
    timer.refresh();
    if (response.status === 404) return undefined;
    if (!response.ok || response.body === null) throw refused(url, response.status);
    file = await namelessFile();
    await writeFile(
      file,
      bounded(response.body, url, () => timer.refresh()),
    );
    return file;
  } catch (error) {
    await file?.close();
    signal?.throwIfAborted();
    if (error instanceof UnreachableError) throw error;
    const why = quiet.signal.aborted ? `nothing came for ${silenceMs / 1000} s` : reasonOf(error);
    throw new UnreachableError(`The archive did not answer ${url.href} in full: ${why}`, {
      nextStep,
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

async function* bounded(
  body: AsyncIterable<Uint8Array>,
  url: URL,
  onBytes: () => void,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const bytes of body) {
    onBytes();
    length += bytes.length;
    if (length > mostBytes)
      throw new UnreachableError(`The archive answers ${url.href} with more than ${mostBytes} bytes`, {
        nextStep,
        retryable: false,
      });
    yield bytes;
  }
}

async function namelessFile(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'cryptopipe-archive-'));
  try {
    return await open(join(folder, 'download'), 'wx+');
  } finally {
    await rm(folder, { recursive: true });
  }
}

const refused = (url: URL, status: number): UnreachableError =>
  new UnreachableError(`The archive answered ${status} to ${url.href}`, {
    nextStep,
    retryable: status === 429 || status >= 500,
  });

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
