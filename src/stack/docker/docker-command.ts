import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { ConfigError, UnreachableError } from '../../core/errors.js';
import type { Say } from '../../core/ports/stack.js';

/** What Docker is called with. */
export interface DockerSettings {
  /** The folder of docker-compose.yml. */
  readonly folder: string;
  /** PATH, and the variables that the file fills in. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

interface DockerCall {
  /** Gets each line of what the call says; where it is missing, nothing is said. */
  readonly say?: Say;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** How a call ended. */
interface Ended {
  readonly failed: boolean;
  /** ENOENT where there is no such program. */
  readonly code?: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as they came. */
  readonly all: string;
}

const questionTimeoutMs = 30_000;
const withoutDocker = 'The same servers start without it, as plain processes: `cryptopipe stack up`.';

/** In the file: `start_interval` needs this engine, and building for services that are needed this Compose. */
const oldest = { engine: [25, 0], compose: [2, 24] } as const;

/** Not an error: the caller looks at how it ended. */
async function run(
  args: readonly string[],
  { environment }: DockerSettings,
  call: DockerCall = {},
): Promise<Ended> {
  const { say, signal, timeoutMs } = call;
  const subprocess = execa('docker', args, {
    env: environment,
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  });
  if (say !== undefined)
    for await (const line of subprocess.iterable({ from: 'all' })) if (line.trim() !== '') say(line);
  const result = await subprocess;
  signal?.throwIfAborted();
  return result;
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [foundMajor, foundMinor] = version.split('.');
  return Number(foundMajor) < major || (Number(foundMajor) === major && Number(foundMinor) < minor);
}

const firstLine = (text: string): string => text.trim().split('\n', 1)[0] ?? '';

/**
 * The version of the engine.
 * @throws ConfigError that tells apart what is missing: Docker, its Compose plugin, or an engine that answers.
 */
export async function requireDocker(settings: DockerSettings): Promise<string> {
  const question = { timeoutMs: questionTimeoutMs };
  const compose = await run(['compose', 'version'], settings, question);
  if (compose.code === 'ENOENT')
    throw new ConfigError('Docker was not found on the PATH', {
      nextStep: `Install it: https://docs.docker.com/engine/install/. ${withoutDocker}`,
    });
  if (compose.failed)
    throw new ConfigError(`Docker has no Compose plugin here: ${firstLine(compose.all)}`, {
      nextStep: `Install it: https://docs.docker.com/compose/install/. ${withoutDocker}`,
    });
  requireVersion('Docker Compose', compose.stdout, oldest.compose);
  const engine = await run(['version', '--format', '{{.Server.Version}}'], settings, question);
  if (engine.failed)
    throw new ConfigError(`Docker's engine does not answer: ${firstLine(engine.stderr)}`, {
      nextStep: `Start it (Docker Desktop, or \`sudo systemctl start docker\`), and see that you may use it (group docker). ${withoutDocker}`,
    });
  requireVersion("Docker's engine", engine.stdout, oldest.engine);
  return engine.stdout.trim();
}

/** For an engine that does not keep other computers from ports published on loopback (https://github.com/moby/moby/issues/45610). */
export function loopbackWarning(engine: string): string | undefined {
  if (!isOlder(engine, [28, 0])) return undefined;
  return `warning: Docker's engine ${engine} lets other computers of the same network segment reach ports that are published on loopback: bring it to 28 or newer, or trust that network`;
}

function requireVersion(what: string, text: string, least: readonly [number, number]): void {
  const found = /\d+\.\d+\S*/.exec(text)?.[0] ?? 'of an unknown version';
  if (!isOlder(found, least)) return;
  throw new ConfigError(`${what} ${found} is too old for docker-compose.yml`, {
    nextStep: `Bring it to ${least.join('.')} or newer. ${withoutDocker}`,
  });
}

/**
 * `docker compose …` for our file; returns what it printed.
 *
 * The `.env` of the current folder is the one that our own settings come from, so Compose gets that one too, and never another.
 * @throws UnreachableError with the end of what it said.
 */
export async function dockerCompose(
  settings: DockerSettings,
  args: readonly string[],
  call: DockerCall = {},
): Promise<string> {
  const envFile = join(process.cwd(), '.env');
  const whole = [
    ...['compose', '--ansi', 'never', '--progress', 'plain', '--project-directory', settings.folder],
    ...['--file', join(settings.folder, 'docker-compose.yml')],
    ...['--env-file', existsSync(envFile) ? envFile : '/dev/null'],
    ...args,
  ];
  const result = await run(whole, settings, call);
  if (!result.failed) return result.stdout;
  const lines = result.all.trimEnd().split('\n');
  throw new UnreachableError(`docker compose ${args[0] ?? ''} failed: ${lines.at(-1) ?? ''}`, {
    logTail: lines.slice(-25).join('\n'),
  });
}
