import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError, CryptopipeError, UnreachableError, UsageError } from '../../core/errors.js';
import type { ProcessReport, Stack, StackCall } from '../../core/ports/stack.js';
import { dockerRestKeyFileOf, restKeyPattern } from '../../core/rest-key.js';
import { dockerPorts, passFileOf, type PortName } from '../../core/settings.js';
import { logTail } from '../log-tail.js';
import { passFileText } from '../postgres.js';
import { makeDataDir } from '../private-folder.js';
import { reportProcesses } from '../report.js';
import { stopServers } from '../runner.js';
import type { StackSettings } from '../settings.js';
import { dockerCompose, loopbackWarning, requireDocker, type DockerSettings } from './docker-command.js';
import { requireReadableMounts } from './mounted-files.js';
import { dockerServers, readContainers, reportContainers, serviceOf, type Container } from './services.js';

/** After this the servers that have started are healthy, or something is wrong with one. */
const readySeconds = 600;

/** The stack of docker-compose.yml in `folder`, driven through `docker compose`. */
export function createDockerStack(settings: StackSettings, folder: string): Stack {
  const docker: DockerSettings = { folder, environment: environmentOf(settings) };
  const containers = async (): Promise<Container[]> =>
    readContainers(await dockerCompose(docker, ['ps', '--all', '--format', 'json']));
  const withDocker = async <T>(work: (engine: string) => Promise<T>): Promise<T> =>
    work(await requireDocker(docker));
  return {
    install: (call) => withDocker(() => install(docker, call)),
    up: (call) =>
      withDocker(async (engine) => {
        await requireReadableMounts(folder);
        const warning = loopbackWarning(engine);
        if (warning !== undefined) call.say(warning);
        const before = await containers();
        await start(docker, call, before);
        await takeOver(settings, docker, await containers());
        return report(settings, await containers());
      }),
    down: ({ say }) => withDocker(async () => down(settings, docker, say, await containers())),
    status: () => withDocker(async () => report(settings, await containers())),
    logTail: (name, lines) => tailOf(settings, docker, name, lines),
  };
}

/** What the file fills in, as the command line sees it: a port that a flag has moved is moved there too. */
function environmentOf({ environment, ports, postgres }: StackSettings): DockerSettings['environment'] {
  const published = Object.entries(dockerPorts) as [string, PortName][];
  return {
    ...environment,
    ...Object.fromEntries(published.map(([name, port]) => [name, String(ports[port])])),
    PGPORT: String(ports.postgres),
    PGDATABASE: postgres.database,
    POSTGRES_USER: postgres.user,
  };
}

/** None named means all, those that natively start only when named too. */
const servicesOf = ({ only = [], with: more = [] }: StackCall): string[] =>
  only.length === 0 ? [] : [...only, ...more].map(serviceOf);

async function install(docker: DockerSettings, call: StackCall): Promise<void> {
  const { say, signal } = call;
  await dockerCompose(docker, ['build', ...servicesOf(call)], { say, signal });
  await dockerCompose(docker, ['pull', '--ignore-buildable', ...servicesOf(call)], { say, signal });
}

const runningOf = (containers: readonly Container[]): string[] =>
  containers.filter(({ State }) => State === 'running').map(({ Service }) => Service);

/** All or nothing, as natively: what did not run before is stopped again. */
async function start(docker: DockerSettings, call: StackCall, before: readonly Container[]): Promise<void> {
  const { say, signal } = call;
  const args = ['up', '--detach', '--build', '--wait', '--wait-timeout', String(readySeconds)];
  try {
    await dockerCompose(docker, [...args, ...servicesOf(call)], { say, signal });
  } catch (error) {
    const after = readContainers(await dockerCompose(docker, ['ps', '--all', '--format', 'json']));
    const tail = await tailOfCulprit(docker, after);
    const started = runningOf(after).filter((service) => !runningOf(before).includes(service));
    if (started.length > 0) await dockerCompose(docker, ['stop', ...started], { say });
    if (signal.aborted)
      throw new UnreachableError('Interrupted: what had been started is stopped again', {
        nextStep: 'The same command goes on from here.',
        cause: error,
      });
    if (!(error instanceof CryptopipeError) || tail === undefined) throw error;
    throw new UnreachableError(error.message, {
      logTail: tail.text,
      nextStep: `See more of it: \`cryptopipe stack logs ${tail.name} --docker\`.`,
      cause: error,
    });
  }
}

/** The end of the log of the first service that is not well. */
async function tailOfCulprit(
  docker: DockerSettings,
  containers: readonly Container[],
): Promise<{ name: string; text: string } | undefined> {
  const culprit = reportContainers(containers).find(({ state }) => state === 'died' || state === 'unhealthy');
  if (culprit === undefined) return undefined;
  return { name: culprit.name, text: await serviceLog(docker, culprit.name, 25) };
}

const serviceLog = (docker: DockerSettings, name: string, lines: number): Promise<string> =>
  dockerCompose(docker, ['logs', '--no-color', '--no-log-prefix', '--tail', String(lines), serviceOf(name)]);

/** Fetches what the command line needs of a stack that runs: the key of the REST server, and psql's password file. */
async function takeOver(
  settings: StackSettings,
  docker: DockerSettings,
  containers: readonly Container[],
): Promise<void> {
  await writePrivately(passFileOf(settings.dataDir), passFileText(settings));
  if (settings.sparkRest.key !== undefined || !runningOf(containers).includes('spark-master')) return;
  const args = ['exec', '-T', 'spark-master', 'cat', '/run/keys/spark-rest-key'];
  const key = (await dockerCompose(docker, args)).trim();
  if (!restKeyPattern.test(key))
    throw new ConfigError("The key of Spark's REST server in the container is not base64url of 32 bytes", {
      nextStep: 'Correct SPARK_REST_KEY, or the file of SPARK_REST_KEY_FILE.',
    });
  await makeDataDir(settings.dataDir);
  await writePrivately(dockerRestKeyFileOf(settings.dataDir), `${key}\n`);
}

/** Written aside, so that who reads it at that moment finds the old one or the new one, whole. */
async function writePrivately(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const own = `${path}.${process.pid}`;
  await writeFile(own, text, { mode: 0o600 });
  await rename(own, path);
}

/** Our own background processes run on this computer, whatever the servers run in. */
const backgroundOf = ({ dataDir }: StackSettings): ProcessReport[] =>
  reportProcesses(dataDir).filter(({ kind }) => kind === 'background');

const report = (settings: StackSettings, containers: readonly Container[]): ProcessReport[] => [
  ...reportContainers(containers),
  ...backgroundOf(settings),
];

async function down(
  settings: StackSettings,
  docker: DockerSettings,
  say: StackCall['say'],
  containers: readonly Container[],
): Promise<string[]> {
  const own = backgroundOf(settings).map(({ name }) => name);
  const stopped = await stopServers(own, { settings, say });
  const everyProfile = { ...docker, environment: { ...docker.environment, COMPOSE_PROFILES: '*' } };
  await dockerCompose(everyProfile, ['down'], { say });
  return [...stopped, ...runningOf(containers)];
}

async function tailOf(
  settings: StackSettings,
  docker: DockerSettings,
  name: string,
  lines: number,
): Promise<string> {
  const background = backgroundOf(settings).find((process) => process.name === name);
  if (background !== undefined) return logTail(background.logPath, lines);
  const known = [...dockerServers, 'keys', 'hdfs-volumes', 'init', 'airflow-database'];
  if (!known.includes(name))
    throw new UsageError(`There is no server or background process ${name}`, {
      nextStep: `Servers: ${known.join(', ')}.`,
    });
  await requireDocker(docker);
  return (await serviceLog(docker, name, lines)).trimEnd();
}
