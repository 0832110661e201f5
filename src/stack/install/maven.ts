import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import pRetry from 'p-retry';
import { UnreachableError } from '../../core/errors.js';
import type { Say } from '../../core/ports/stack.js';
import { directHttp, type HttpClient } from '../../http/http-client.js';
import type { LockedJar } from './lock.js';

export interface MavenDownload {
  readonly mavenUrl: string;
  readonly cacheDir: string;
  readonly say: Say;
  readonly signal: AbortSignal;
  readonly http?: HttpClient;
  /** Compares the files that are there by checksum too, not only by size. */
  readonly verify?: boolean;
}

const parallel = 6;
const attemptTimeoutMs = 300_000;
const advice =
  'Check the network, or set CRYPTOPIPE_MAVEN_URL to a Maven repository that this computer reaches.';

/** Where a jar of the lock file lies in the cache folder. */
export const jarPath = (cacheDir: string, jar: LockedJar): string => join(cacheDir, 'maven', jar.path);

async function isThere(jar: LockedJar, { cacheDir, verify = false, say }: MavenDownload): Promise<boolean> {
  const path = jarPath(cacheDir, jar);
  const info = await stat(path).catch(() => undefined);
  if (info?.size !== jar.size) return false;
  if (!verify || (await checksumOf(path)) === jar.sha256) return true;
  say(`jars: ${path} was changed since it was downloaded: it is downloaded again`);
  return false;
}

async function checksumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/**
 * Fetches the jars that are not in the cache yet. A file has its name only when its checksum was right, so a file that
 * is there with its size is taken as it is unless `verify` is set, and an interrupted download goes on with the files that are missing.
 * @throws UnreachableError naming the URL and what to set.
 */
export async function fetchJars(jars: readonly LockedJar[], download: MavenDownload): Promise<void> {
  const limit = pLimit(parallel);
  const checked = await Promise.all(
    jars.map((jar) => limit(async () => ((await isThere(jar, download)) ? [] : [jar]))),
  );
  const missing = checked.flat();
  if (missing.length === 0) return;
  const report = progress(missing, download.say);
  const stop = new AbortController();
  const signal = AbortSignal.any([download.signal, stop.signal]);
  try {
    await Promise.all(
      missing.map((jar) => limit(() => fetchJar(jar, { ...download, signal }).then(() => report(jar)))),
    );
  } finally {
    stop.abort(); // After one failure the others need not go on.
  }
}

function progress(jars: readonly LockedJar[], say: Say): (jar: LockedJar) => void {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  const total = jars.reduce((sum, jar) => sum + jar.size, 0);
  let files = 0;
  let bytes = 0;
  let saidAt = Date.now();
  say(`jars: ${jars.length} files, ${megabytes(total)} MB to download`);
  return (jar) => {
    files += 1;
    bytes += jar.size;
    if (files < jars.length && Date.now() - saidAt < 2000) return;
    saidAt = Date.now();
    say(`jars: ${files} of ${jars.length} files, ${megabytes(bytes)} of ${megabytes(total)} MB`);
  };
}

async function fetchJar(jar: LockedJar, download: MavenDownload): Promise<void> {
  try {
    await pRetry(() => fetchOnce(jar, download), {
      retries: 3,
      minTimeout: 500,
      maxTimeout: 5000,
      shouldRetry: ({ error }) => error instanceof UnreachableError && error.retryable,
      signal: download.signal,
    });
  } catch (error) {
    download.signal.throwIfAborted();
    throw error;
  }
}

async function fetchOnce(jar: LockedJar, download: MavenDownload): Promise<void> {
  const { cacheDir, http = directHttp, mavenUrl, signal } = download;
  const url = `${mavenUrl}/${jar.path}`;
  const limits = { timeoutMs: attemptTimeoutMs, maxBytes: jar.size, maxRedirects: 5 };
  const call = { ...limits, system: 'The repository', url, signal, nextStep: advice };
  const path = jarPath(cacheDir, jar);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const refusal = await http
    .stream(call, async ({ body, status }) =>
      status >= 200 && status <= 299 ? writeVerified(path, jar, { body, url }) : refusalOf(url, status),
    )
    .catch((cause: unknown) => {
      const reason = `${url} could not be downloaded: ${(cause as Error).message}`;
      throw new UnreachableError(reason, { nextStep: advice, cause });
    });
  if (refusal !== undefined) throw refusal;
}

/** "Not found" and "not allowed" stay so; anything else may pass. */
const refusalOf = (url: string, status: number): UnreachableError =>
  new UnreachableError(`${url} answered ${status}`, {
    nextStep: advice,
    retryable: ![400, 401, 403, 404, 410].includes(status),
  });

/** The file gets its name only when its checksum was right; otherwise the error is returned. */
async function writeVerified(
  path: string,
  jar: LockedJar,
  { body, url }: { readonly body: AsyncIterable<Uint8Array>; readonly url: string },
): Promise<UnreachableError | undefined> {
  const part = `${path}.${process.pid}.part`;
  const hash = createHash('sha256');
  try {
    await writeFile(part, hashing(body, hash), { mode: 0o644 });
    const found = hash.digest('hex');
    if (found !== jar.sha256)
      return new UnreachableError(`${url} has checksum ${found}, not ${jar.sha256}`, {
        nextStep: 'The file was changed or cut on its way. Try again, or name another CRYPTOPIPE_MAVEN_URL.',
      });
    await rename(part, path);
    return undefined;
  } finally {
    await rm(part, { force: true });
  }
}

async function* hashing(body: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
}
