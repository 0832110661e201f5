import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { FoundPython } from '../../../scripts/prerequisites.mjs';
import { UnreachableError } from '../../core/errors.js';
import { inheritedEnvironment } from '../../core/inherited-environment.js';
import type { Say } from '../../core/ports/stack.js';
import { withLock } from '../lock-file.js';
import { stackLock, type LockedPackage } from './lock.js';

export interface PythonInstall {
  readonly cacheDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly say: Say;
  readonly signal: AbortSignal;
}

/** The text of a requirements file for `pip install --require-hashes`. */
export function requirementsOf(packages: readonly LockedPackage[]): string {
  return packages
    .map(({ name, version, sha256 }) =>
      [`${name}==${version}`, ...sha256.map((hash) => `    --hash=sha256:${hash}`)].join(' \\\n'),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** What a virtual environment is made of. */
export interface PythonPackages {
  /** Of the folder in the cache, and before each line that is said. */
  readonly name: string;
  /** What is downloaded, in words. */
  readonly contents: string;
  /** Texts of requirements files, each pinned by checksums; installed in this order. */
  readonly sets: Readonly<Record<string, string>>;
  readonly pipFlags: readonly string[];
}

/** pyspark and psycopg; pyspark is built from its source archive, so what builds it comes first. */
export function sparkPackages(): PythonPackages {
  const { build, packages } = stackLock().python;
  return {
    name: 'python',
    contents: 'pyspark (about 460 MB), psycopg',
    sets: { build: requirementsOf(build), packages: requirementsOf(packages) },
    pipFlags: ['--no-build-isolation'],
  };
}

/** One environment per Python and set of packages, so that another version of either never meets a half-fitting one. */
function folderOf(cacheDir: string, python: FoundPython, { name, sets }: PythonPackages): string {
  const hash = createHash('sha256')
    .update(Object.values(sets).join(''))
    .update(python.prefix)
    .digest('hex')
    .slice(0, 12);
  return join(cacheDir, name, `${python.version}-${hash}`);
}

/** pip's own settings, certificates and proxies; packages that are built run code, which gets no secret of the caller. */
const settingsOfPip =
  /^(PIP_.*|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(HTTPS?|ALL|NO)_PROXY|XDG_.*|CC|CFLAGS)$/i;

const installTimeoutMs = 30 * 60_000;

/**
 * Makes a virtual environment with these packages, and returns its folder. It is complete when its marker is there,
 * which is written last; anything else is made anew. pip's own settings (index, certificates, proxies) hold.
 */
export async function installPython(
  python: FoundPython,
  packages: PythonPackages,
  install: PythonInstall,
): Promise<string> {
  const folder = folderOf(install.cacheDir, python, packages);
  if (isComplete(folder)) return folder;
  await mkdir(join(install.cacheDir, packages.name), { recursive: true, mode: 0o755 });
  const lock = {
    timeoutMs: installTimeoutMs,
    signal: install.signal,
    onWait: (pid: number) =>
      install.say(`${packages.name}: waiting for another cryptopipe (pid ${pid}) that installs`),
  };
  await withLock(`${folder}.lock`, lock, async () => {
    if (!isComplete(folder)) await makeEnvironment(folder, python, packages, install);
  });
  return folder;
}

const markerOf = (folder: string): string => join(folder, 'cryptopipe-complete');

/** Also false when the Python that it was made from is gone: its link leads nowhere then. */
const isComplete = (folder: string): boolean =>
  existsSync(markerOf(folder)) && existsSync(join(folder, 'bin', 'python'));

async function makeEnvironment(
  folder: string,
  python: FoundPython,
  { name, contents, sets, pipFlags }: PythonPackages,
  install: PythonInstall,
): Promise<void> {
  const say = (line: string): void => install.say(`${name}: ${line}`);
  const step = { log: `${folder}.log`, say, install };
  await rm(folder, { recursive: true, force: true });
  say(`making a virtual environment of Python ${python.version} in ${folder}`);
  await runStep('venv', python.file, ['-m', 'venv', folder], step);
  say(`installing ${contents}`);
  for (const [set, text] of Object.entries(sets)) {
    const requirements = join(folder, `${set}.txt`);
    await writeFile(requirements, text);
    const args = ['-m', 'pip', 'install', '--require-hashes', ...pipFlags, '-r', requirements];
    await runStep('pip', join(folder, 'bin', 'python'), args, step);
  }
  await writeFile(markerOf(folder), '');
  say('ready');
}

interface Step {
  readonly log: string;
  readonly say: Say;
  readonly install: PythonInstall;
}

async function runStep(
  name: string,
  file: string,
  args: string[],
  { log, say, install }: Step,
): Promise<void> {
  const startedAt = Date.now();
  const beat = setInterval(() => {
    say(`${name} at work for ${Math.round((Date.now() - startedAt) / 1000)} s`);
  }, 10_000);
  try {
    const result = await execa(file, args, {
      env: inheritedEnvironment(install.environment, settingsOfPip),
      extendEnv: false,
      stdin: 'ignore',
      all: true,
      stdout: { file: log, append: true },
      stderr: { file: log, append: true },
      reject: false,
      cancelSignal: install.signal,
      timeout: installTimeoutMs,
    });
    install.signal.throwIfAborted();
    if (result.failed) throw await failureOf(name, log, result.shortMessage);
  } finally {
    clearInterval(beat);
  }
}

async function failureOf(name: string, log: string, message: string | undefined): Promise<UnreachableError> {
  const text = existsSync(log) ? await readFile(log, 'utf8') : '';
  return new UnreachableError(`${name} failed: ${message ?? 'no message'}; its log is ${log}`, {
    logTail: text.split('\n').slice(-25).join('\n'),
    nextStep:
      "Check the network; pip's own settings hold (PIP_INDEX_URL, PIP_CERT, pip.conf). Then run `cryptopipe stack install` again.",
  });
}
