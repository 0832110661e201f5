import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import pLimit from 'p-limit';
import pRetry, { AbortError } from 'p-retry';
import { ConfigError, UnreachableError } from '../../core/errors.js';
import type { Say } from '../../core/ports/stack.js';
import type { LockedJar } from './lock.js';

export interface MavenDownload {
  readonly mavenUrl: string;
  readonly cacheDir: string;
  readonly say: Say;
  readonly signal: AbortSignal;
}

const parallel = 6;
const attemptTimeoutMs = 300_000;
const advice =
  'Check the network, or set CRYPTOPIPE_MAVEN_URL to a Maven repository that this computer reaches.';

/** Where a jar of the lock file lies in the cache folder. */
export const jarPath = (cacheDir: string, jar: LockedJar): string => join(cacheDir, 'maven', jar.path);

async function isThere(path: string, size: number): Promise<boolean> {
  try {
    return (await stat(path)).size === size;
  } catch {
    return false;
  }
}

/**
 * Fetches the jars that are not in the cache yet. A file has its name only when its checksum was right, so a file that
 * is there with its size is taken as it is, and an interrupted download goes on with the files that are missing.
 * @throws UnreachableError naming the URL and what to set.
 */
export async function fetchJars(jars: readonly LockedJar[], download: MavenDownload): Promise<void> {
  const checked = await Promise.all(
    jars.map(async (jar) => ((await isThere(jarPath(download.cacheDir, jar), jar.size)) ? [] : [jar])),
  );
  const missing = checked.flat();
  if (missing.length === 0) return;
  const report = progress(missing, download.say);
  const stop = new AbortController();
  const signal = AbortSignal.any([download.signal, stop.signal]);
  const limit = pLimit(parallel);
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
  const url = `${download.mavenUrl}/${jar.path}`;
  try {
    await pRetry(() => fetchOnce(url, jar, download), {
      retries: 3,
      minTimeout: 500,
      maxTimeout: 5000,
      signal: download.signal,
    });
  } catch (cause) {
    if (cause instanceof ConfigError || cause instanceof UnreachableError) throw cause;
    download.signal.throwIfAborted();
    throw new UnreachableError(`${url} could not be downloaded: ${reasonOf(cause)}`, {
      nextStep: advice,
      cause,
    });
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}

async function fetchOnce(url: string, jar: LockedJar, download: MavenDownload): Promise<void> {
  const signal = AbortSignal.any([download.signal, AbortSignal.timeout(attemptTimeoutMs)]);
  const response = await fetch(url, { signal });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const error = new UnreachableError(`${url} answered ${response.status}`, { nextStep: advice });
    // "Not found" and "not allowed" stay so; anything else may pass.
    throw [400, 401, 403, 404, 410].includes(response.status) ? new AbortError(error) : error;
  }
  const path = jarPath(download.cacheDir, jar);
  const part = `${path}.${process.pid}.part`;
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const hash = createHash('sha256');
  try {
    const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
    body.on('data', (chunk: Uint8Array) => hash.update(chunk));
    await pipeline(body, createWriteStream(part, { mode: 0o644 }), { signal });
    const found = hash.digest('hex');
    if (found !== jar.sha256) {
      throw new UnreachableError(`${url} has checksum ${found}, not ${jar.sha256}`, {
        nextStep: 'The file was changed or cut on its way. Try again, or name another CRYPTOPIPE_MAVEN_URL.',
      });
    }
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
}
