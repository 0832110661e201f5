import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { dockerServers, serviceOf } from '../../../src/stack/docker/services.js';
import { root } from '../../support/compose/describe-checks.js';
import type { ComposeFile } from '../../support/compose/model.js';
import { container, fakeDocker, type FakeDocker } from '../../support/fake-docker.js';
import { callCli, type CliResult } from '../../support/run-cli.js';

const key = 'k'.repeat(43);
/** Each call is a process of its own. */
vi.setConfig({ testTimeout: 60_000 });
let docker: FakeDocker;

beforeEach(() => {
  docker = fakeDocker();
});
afterEach(() => docker.remove());

const stack = (args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> =>
  callCli(['--data-dir', docker.dataDir, 'stack', ...args], { ...docker.env, ...env });

describe('what is missing is told apart', () => {
  it.each([
    ['no docker', [], { PATH: '/nonexistent' }, 'error: Docker was not found on the PATH'],
    [
      'no plugin',
      [{ to: 'compose version', stderr: 'docker: unknown command: docker compose', exitCode: 1 }],
      {},
      'error: Docker has no Compose plugin here: docker: unknown command: docker compose',
    ],
    [
      'no engine',
      [{ to: 'version --format', stderr: 'Cannot connect to the Docker daemon.', exitCode: 1 }],
      {},
      "error: Docker's engine does not answer: Cannot connect to the Docker daemon.",
    ],
    [
      'an old plugin',
      [{ to: 'compose version', stdout: 'Docker Compose version v2.23.3\n' }],
      {},
      'error: Docker Compose 2.23.3 is too old for docker-compose.yml',
    ],
    [
      'an old engine',
      [{ to: 'version --format', stdout: '24.0.9\n' }],
      {},
      "error: Docker's engine 24.0.9 is too old for docker-compose.yml",
    ],
  ])('%s', async (_what, replies, env, message) => {
    docker.reply(replies);
    for (const command of ['up', 'status']) {
      const { exitCode, err } = await stack([command, '--docker'], env);
      expect({ exitCode, first: err.split('\n')[0] }).toEqual({ exitCode: 3, first: message });
      expect(err).toContain('The same servers start without it');
    }
    expect(docker.composeCalls()).toEqual([]);
  });
});

describe('stack up --docker', () => {
  const running = ['kafka', 'spark-master'].map((name) => container(name)).join('');

  it('builds, starts and waits, then fetches the key for the command line', async () => {
    docker.reply([
      { to: 'ps --all', stdout: running },
      { to: 'exec -T spark-master', stdout: key },
      { to: ' up ', stderr: 'Container cryptopipe-kafka-1  Healthy\n' },
    ]);
    const { exitCode, out, err } = await stack(['up', '--docker', '--json']);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: 'Container cryptopipe-kafka-1  Healthy\n' });
    expect(docker.composeCalls()).toEqual([
      'ps --all --format json',
      'up --detach --build --wait --wait-timeout 600',
      'ps --all --format json',
      'exec -T spark-master cat /run/keys/spark-rest-key',
      'ps --all --format json',
    ]);
    const file = join(docker.dataDir, 'docker', 'spark-rest.key');
    expect(readFileSync(file, 'utf8')).toBe(`${key}\n`);
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    expect(out).not.toContain(key);
    expect(readFileSync(join(docker.dataDir, 'pgpass'), 'utf8')).toContain('localhost:5432:*:crypto:crypto');
  });

  it.each([
    ['27.5.1', "warning: Docker's engine 27.5.1 lets other computers of the same network segment reach"],
    ['28.0.0', ''],
  ])('warns where an engine (%s) does not keep loopback ports from the network', async (version, warning) => {
    docker.reply([{ to: 'version --format', stdout: `${version}\n` }]);
    const { exitCode, err } = await stack(['up', '--docker']);
    expect({ exitCode, err: err.slice(0, warning.length) }).toEqual({ exitCode: 0, err: warning });
    expect(err.includes('warning')).toBe(warning !== '');
  });

  it('calls Compose for our file wherever it is called, with the ports that a flag has moved', async () => {
    await callCli(['--port-offset', '1000', 'stack', 'status'], {
      ...docker.env,
      CRYPTOPIPE_STACK: 'docker',
      CRYPTOPIPE_GRAFANA_PORT: '3333',
    });
    const call = docker.calls().at(-1);
    expect(call?.args.slice(0, 9)).toEqual([
      ...[
        'compose',
        '--ansi',
        'never',
        '--progress',
        'plain',
        '--project-directory',
        root.replace(/\/$/, ''),
      ],
      ...['--file', join(root, 'docker-compose.yml')],
    ]);
    expect(call?.env).toMatchObject({
      CRYPTOPIPE_KAFKA_PORT: '10092',
      CRYPTOPIPE_GRAFANA_PORT: '3333',
      PGPORT: '6432',
    });
  });

  it('starts only what is named, and needs no key where there is no master', async () => {
    docker.reply([{ to: 'ps --all', stdout: container('namenode') }]);
    expect((await stack(['up', '--docker', '--only', 'name-node,kafka'])).exitCode).toBe(0);
    expect(docker.composeCalls()[1]).toBe('up --detach --build --wait --wait-timeout 600 namenode kafka');
    expect(docker.composeCalls().join()).not.toContain('exec');
  });

  it('keeps the key that was set by hand', async () => {
    docker.reply([{ to: 'ps --all', stdout: running }]);
    expect((await stack(['up', '--docker'], { SPARK_REST_KEY: key })).exitCode).toBe(0);
    expect(docker.composeCalls().join()).not.toContain('exec');
  });

  it('stops again what it had started when a server does not get well, and shows its log', async () => {
    docker.reply([
      { to: ' up ', stderr: 'container cryptopipe-namenode-1 is unhealthy\n', exitCode: 1 },
      {
        to: 'ps --all',
        stdout: [
          container('kafka'),
          `${container('kafka')}${container('namenode', { Health: 'unhealthy' })}${container('keys', { State: 'exited' })}`,
        ],
      },
      { to: 'logs', stdout: 'Incompatible clusterIDs\n' },
    ]);
    const { exitCode, err } = await stack(['up', '--docker']);
    expect(exitCode).toBe(4);
    expect(err).toContain('Incompatible clusterIDs\n');
    expect(err).toContain('error: docker compose up failed: container cryptopipe-namenode-1 is unhealthy');
    expect(err).toContain('`cryptopipe stack logs name-node --docker`');
    expect(docker.composeCalls().slice(-2)).toEqual([
      'logs --no-color --no-log-prefix --tail 25 namenode',
      'stop namenode',
    ]);
  });
});

describe('stack status --docker', () => {
  it('tells every server, by the names of both stacks, and one-shots that failed', async () => {
    docker.reply([
      {
        to: 'ps --all',
        stdout: [
          container('namenode', {
            Image: 'ghcr.io/apache/hadoop:3.5.0',
            Publishers: [{ URL: '127.0.0.1', TargetPort: 9870, PublishedPort: 9870, Protocol: 'tcp' }],
          }),
          container('grafana', { Health: 'unhealthy' }),
          container('airflow', { State: 'restarting', Health: '' }),
          container('kafka', { State: 'exited', Health: '', ExitCode: 143 }),
          container('keys', { State: 'exited', Health: '' }),
          container('init', { State: 'exited', Health: '', ExitCode: 4 }),
        ].join(''),
      },
    ]);
    const { exitCode, out } = await stack(['status', '--docker', '--json']);
    const { processes } = JSON.parse(out) as { processes: { name: string; state: string }[] };
    expect(exitCode).toBe(5);
    expect(processes.map(({ name, state }) => `${name} ${state}`)).toEqual([
      ...['postgres stopped', 'kafka stopped', 'name-node running'],
      ...['secondary-name-node stopped', 'data-node stopped'],
      ...['spark-master stopped', 'spark-worker stopped', 'airflow died'],
      ...['grafana unhealthy', 'init died'],
    ]);
    expect(processes[2]).toMatchObject({ version: '3.5.0', ports: { '9870': 9870 }, kind: 'server' });
  });
});

describe('the other commands', () => {
  it('take the stack down and leave its volumes', async () => {
    docker.reply([{ to: 'ps --all', stdout: container('kafka') }]);
    const { exitCode, out } = await stack(['down', '--docker', '--json']);
    expect({ exitCode, out: JSON.parse(out) as unknown }).toEqual({
      exitCode: 0,
      out: { stopped: ['kafka'] },
    });
    expect(docker.composeCalls()).toEqual(['ps --all --format json', 'down']);
  });

  it('show the end of a log by the name of both stacks', async () => {
    docker.reply([{ to: 'logs', stdout: 'one\ntwo\n' }]);
    const { out } = await stack(['logs', 'data-node', '--docker', '--lines', '2']);
    expect(out).toBe('one\ntwo\n');
    expect(docker.composeCalls()).toEqual(['logs --no-color --no-log-prefix --tail 2 datanode']);
    expect(await stack(['logs', 'nobody', '--docker'])).toMatchObject({ exitCode: 2 });
  });

  it('install what is missing without starting it', async () => {
    expect((await stack(['install', '--docker'])).exitCode).toBe(0);
    expect(docker.composeCalls()).toEqual(['build', 'pull --ignore-buildable']);
  });

  it('print the addresses without asking Docker', async () => {
    const { out } = await stack(['env', '--docker'], { PATH: '/nonexistent' });
    expect(out).toContain("export CRYPTOPIPE_STACK='docker'\n");
    expect(out).toContain("export SPARK_MASTER_URL='spark://spark-master:7077'\n");
  });
});

it('knows the services of docker-compose.yml', () => {
  const { services } = parse(readFileSync(`${root}docker-compose.yml`, 'utf8'), {
    merge: true,
  }) as ComposeFile;
  // One with a profile starts only when somebody asks for it.
  const lasting = Object.entries(services).filter(
    ([, { restart, profiles }]) => restart === 'unless-stopped' && profiles === undefined,
  );
  expect(dockerServers.map(serviceOf).sort()).toEqual(lasting.map(([name]) => name).sort());
});
