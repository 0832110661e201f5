import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { execa } from 'execa';
import { DockerComposeEnvironment, Wait, type StartedDockerComposeEnvironment } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { basePorts, dockerPorts } from '../../src/core/settings.js';
import { root } from '../support/compose/describe-checks.js';
import { missingEngine } from '../support/docker-engine.js';
import { anonymousVolumes, dockerProject } from '../support/docker-project.js';

// The whole stack on a real engine: its first start, and what comes after it. With ports, a folder and a project of its own.

const missing = await missingEngine();
if (missing !== undefined) console.warn(`The stack in Docker is skipped: ${missing}`);

const portOffset = 11_500;
const name = 'cryptopipe-test';
const env = {
  ...Object.fromEntries(
    Object.entries(dockerPorts).map(([variable, port]) => [variable, String(basePorts[port] + portOffset)]),
  ),
  PGPORT: String(basePorts.postgres + portOffset),
  CRYPTOPIPE_STACK: 'docker',
  CRYPTOPIPE_PORT_OFFSET: String(portOffset),
  CRYPTOPIPE_DATA_DIR: join(tmpdir(), 'cryptopipe-test', 'docker'),
  COMPOSE_PROJECT_NAME: name,
};
const project = dockerProject(name);

/** A program of the checkout, on this stack; its output where it ends as expected. */
async function call(program: string, args: readonly string[] = [], expected = 0): Promise<string> {
  const options = { env, reject: false, all: true, timeout: 900_000 } as const;
  const { exitCode, all, stdout } = await execa(join(root, program), args, options);
  expect(exitCode, all).toBe(expected);
  return stdout;
}
const cryptopipe = (...args: string[]): Promise<string> => call('bin/cryptopipe', args);

/** Trades of a sandbox become bars that equal its own. */
const smokeTest = async (): Promise<void> => {
  expect(await call('scripts/smoke_test.sh')).toContain('smoke test: passed');
};

/** Spark has started the supervised driver anew, or never lost it. */
const streamRuns = (): Promise<void> =>
  vi.waitFor(
    async () => {
      const { runs } = JSON.parse(await cryptopipe('runs', '--json')) as {
        runs: { job: string; state: string }[];
      };
      expect(runs.find(({ job }) => job === 'streaming')?.state).toBe('RUNNING');
    },
    { timeout: 300_000, interval: 5_000 },
  );

describe.skipIf(missing !== undefined)('the stack in Docker (skipped without an engine)', () => {
  vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 3_600_000 });
  let environment: StartedDockerComposeEnvironment | undefined;
  let before: readonly string[] = [];

  beforeAll(async () => {
    before = await anonymousVolumes();
    environment = await new DockerComposeEnvironment(root, 'docker-compose.yml')
      .withProjectName(name)
      .withEnvironment(env)
      .withDefaultWaitStrategy(Wait.forHealthCheck())
      .withStartupTimeout(600_000)
      .up();
    await cryptopipe('stack', 'up');
  });
  afterAll(async () => {
    await environment?.down({ removeVolumes: true });
  });

  it('counts trades into bars, and a second `stack up` changes nothing', async () => {
    await smokeTest();
    await cryptopipe('stack', 'up');
    await cryptopipe('stack', 'status');
    await cryptopipe('submit', 'streaming', '--supervise');
    await streamRuns();
  });

  it('shows tables and files by the usual commands', async () => {
    const tables = await project.exec(
      'postgres',
      'psql',
      '-U',
      'crypto',
      '-d',
      'crypto',
      '-c',
      '\\dt crypto.*',
    );
    expect(tables).toContain('crypto_prices_agg_1min');
    expect(await project.exec('namenode', 'hdfs', 'dfs', '-ls', '/datalake/raw')).toContain(
      '/datalake/raw/crypto',
    );
  });

  it.each([1, 2, 3])('comes back from a reboot, the job too (%i)', async () => {
    const servers = await project.servers();
    await project.stop(servers);
    await project.start(servers);
    await project.healthy();
    await streamRuns();
  });

  it('counts on after the reboots', smokeTest);

  it.each([
    ['kafka', 143, 'kafka.server for 1 unregistered'],
    ['namenode', 143, 'SHUTDOWN_MSG: Shutting down NameNode'],
    ['secondarynamenode', 143, 'SHUTDOWN_MSG: Shutting down SecondaryNameNode'],
    ['datanode', 143, 'SHUTDOWN_MSG: Shutting down DataNode'],
    ['spark-master', 143, ''],
    // It must not report its drivers as killed on request.
    ['spark-worker', 137, ''],
    ['postgres', 0, 'database system is shut down'],
    ['airflow', 143, ''],
    ['grafana', 0, ''],
  ])('stops %s in order and starts it again, and the job goes on', async (service, exitCode, lastWords) => {
    const container = await project.of(service);
    await project.stop([container]);
    const { State } = await project.of(service);
    expect(State).toMatchObject({ Status: 'exited', ExitCode: exitCode, OOMKilled: false });
    expect(await project.log(container)).toContain(lastWords);
    await project.start([container]);
    await project.healthy();
    await streamRuns();
  });

  it('lets Airflow and the job come back after a minute without PostgreSQL', async () => {
    const postgres = await project.of('postgres');
    await project.stop([postgres]);
    await passed(60_000); // The outage itself.
    await project.start([postgres]);
    await project.healthy();
    await streamRuns();
    await smokeTest();
  });

  it('leaves no container and no volume, those without a name included', async () => {
    await environment?.down({ removeVolumes: true });
    environment = undefined;
    expect(await project.servers()).toEqual([]);
    expect((await anonymousVolumes()).filter((volume) => !before.includes(volume))).toEqual([]);
  });
});
