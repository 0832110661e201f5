import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { FoundPython } from '../../../scripts/prerequisites.mjs';
import { UnreachableError } from '../../core/errors.js';
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

/** One environment per Python and set of packages, so that another version of either never meets a half-fitting one. */
function folderOf(cacheDir: string, python: FoundPython): string {
  const { build, packages } = stackLock().python;
  const hash = createHash('sha256')
    .update(requirementsOf([...build, ...packages]))
    .update(python.prefix)
    .digest('hex')
    .slice(0, 12);
  return join(cacheDir, 'python', `${python.version}-${hash}`);
}

const installTimeoutMs = 30 * 60_000;

/**
 * Makes the virtual environment with pyspark and psycopg, and returns its folder. It is complete when its marker is
 * there, which is written last; anything else is made anew. pip's own settings (index, certificates, proxies) hold.
 */
export async function installPython(python: FoundPython, install: PythonInstall): Promise<string> {
  const folder = folderOf(install.cacheDir, python);
  if (isComplete(folder)) return folder;
  await mkdir(join(install.cacheDir, 'python'), { recursive: true, mode: 0o755 });
  const lock = {
    timeoutMs: installTimeoutMs,
    signal: install.signal,
    onWait: (pid: number) => install.say(`python: waiting for another cryptopipe (pid ${pid}) that installs`),
  };
  await withLock(`${folder}.lock`, lock, async () => {
    if (!isComplete(folder)) await makeEnvironment(folder, python, install);
  });
  return folder;
}

const markerOf = (folder: string): string => join(folder, 'cryptopipe-complete');

/** Also false when the Python that it was made from is gone: its link leads nowhere then. */
const isComplete = (folder: string): boolean =>
  existsSync(markerOf(folder)) && existsSync(join(folder, 'bin', 'python'));

async function makeEnvironment(folder: string, python: FoundPython, install: PythonInstall): Promise<void> {
  const { build, packages } = stackLock().python;
  await rm(folder, { recursive: true, force: true });
  install.say(`python: making a virtual environment of Python ${python.version} in ${folder}`);
  await runStep(python.file, ['-m', 'venv', folder], 'venv', folder, install);
  install.say('python: downloading and building pyspark (about 460 MB), psycopg');
  for (const [name, set] of Object.entries({ build, packages })) {
    const requirements = join(folder, `${name}.txt`);
    await writeFile(requirements, requirementsOf(set));
    const args = ['-m', 'pip', 'install', '--require-hashes', '--no-build-isolation', '-r', requirements];
    await runStep(join(folder, 'bin', 'python'), args, 'pip', folder, install);
  }
  await writeFile(markerOf(folder), '');
  install.say('python: ready');
}

async function runStep(
  file: string,
  args: string[],
  name: string,
  folder: string,
  install: PythonInstall,
): Promise<void> {
  const log = `${folder}.log`;
  const startedAt = Date.now();
  const beat = setInterval(() => {
    install.say(`python: ${name} at work for ${Math.round((Date.now() - startedAt) / 1000)} s`);
  }, 10_000);
  try {
    const result = await execa(file, args, {
      env: install.environment,
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
