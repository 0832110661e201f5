import { mkdtemp, open, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, UnreachableError } from '../core/errors.js';
import { directHttp, type HttpClient } from '../http/http-client.js';
import { patientCalls, type Patience } from './patience.js';

/** Where the archive is: an http(s) address, or the `file:` URL of a folder with the same tree. */
export interface ArchiveSource {
  readonly url: string;
  /** The longest silence of the server; not the length of a download. Default 30 s. */
  readonly silenceMs?: number;
  /** For how long a download that broke is begun again; without it each is tried once. */
  readonly patience?: Patience | undefined;
  readonly http?: HttpClient;
}

/** A day of the busiest symbol has some 20 MB; what is longer than this is not such a file. */
const mostBytes = 2 ** 30;
/** Of one try: at 20 MB slower than a modem. */
const timeoutMs = 3_600_000;
const nextStep = 'Check the network, or name another archive by CRYPTO_ARCHIVE_URL; a folder will do.';

/**
 * A file of the archive, open for reading from its beginning; undefined where the archive has none. What was downloaded lies
 * in a file that has no name any more, so that nothing is left of it, however the process ends.
 *
 * @throws UnreachableError when the server does not answer in full, also not after its patience; ConfigError when a local
 * file is there and cannot be read.
 */
export async function openArchived(
  source: ArchiveSource,
  path: string,
  signal?: AbortSignal,
): Promise<FileHandle | undefined> {
  const url = new URL(`${source.url.replace(/\/+$/, '')}/${path}`);
  if (url.protocol === 'file:') return openLocal(fileURLToPath(url));
  return patientCalls('archive', source.patience).repeatable(() => download(url, source, signal), signal);
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

async function download(
  url: URL,
  { http = directHttp, silenceMs = 30_000 }: ArchiveSource,
  signal?: AbortSignal,
): Promise<FileHandle | undefined> {
  const limits = { timeoutMs, silenceMs, maxBytes: mostBytes, maxRedirects: 5 };
  const call = { ...limits, system: `The archive`, url: url.href, signal, nextStep };
  try {
    return await http.stream(call, async ({ body, status }) => {
      if (status === 404) return undefined;
      if (status < 200 || status > 299) throw refused(url, status);
      return namelessCopy(body);
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

async function namelessCopy(body: AsyncIterable<Uint8Array>): Promise<FileHandle> {
  const file = await namelessFile();
  try {
    await writeFile(file, body);
    return file;
  } catch (error) {
    await file.close();
    throw error;
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
    // A proxy or a firewall answers 403 for a while, as for the exchange.
    retryable: status === 403 || status === 429 || status >= 500,
  });
