import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { restKeyPattern } from '../../../src/core/rest-key.js';
import { root } from '../../support/compose/describe-checks.js';

// The scripts that the images and docker-compose.yml run, as they are, on folders of ours.

const isRoot = process.getuid?.() === 0;
const services = ['postgres', 'spark-master', 'spark-worker', 'cryptopipe', 'airflow', 'grafana'];
let folder: string;
const path = (...names: string[]): string => join(folder, ...names);
const text = (...names: string[]): string => readFileSync(path(...names), 'utf8');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'docker-scripts-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const run = (script: string, env: Record<string, string>, args: readonly string[] = []) =>
  execa(join(root, 'docker', script), args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    extendEnv: false,
  });

/** A program on a PATH of its own that shows what it was called with. */
function stub(name: string, body: string): string {
  mkdirSync(path('bin'), { recursive: true });
  writeFileSync(path('bin', name), `#!/bin/sh\n${body}\n`);
  chmodSync(path('bin', name), 0o755);
  return path('bin', name);
}

describe.skipIf(!isRoot)('make-keys.sh (as root, since it gives files away)', () => {
  const makeKeys = async (env: Record<string, string> = {}): Promise<void> => {
    for (const name of ['made', ...services]) mkdirSync(path('keys', name), { recursive: true });
    mkdirSync(path('secrets'), { recursive: true });
    await run('keys/make-keys.sh', { KEYS_DIR: path('keys'), SECRETS_DIR: path('secrets'), ...env });
  };
  const keys = (): Record<string, string> =>
    Object.fromEntries(
      services.flatMap((service) =>
        readdirSync(path('keys', service)).map((name) => [`${service}/${name}`, text('keys', service, name)]),
      ),
    );

  it('hands each service what it needs and nothing else, readable by its user alone', async () => {
    await makeKeys();
    expect(
      Object.fromEntries(services.map((name) => [name, readdirSync(path('keys', name)).sort()])),
    ).toEqual({
      postgres: ['airflow-database-password', 'postgres-password'],
      'spark-master': ['spark-rest-key'],
      'spark-worker': ['postgres-password'],
      cryptopipe: ['postgres-password', 'postgres-reader-password', 'spark-rest-key'],
      airflow: [
        ...['airflow-admin-password', 'airflow-api-secret-key', 'airflow-database-url'],
        ...['airflow-fernet-key', 'airflow-jwt-secret'],
        ...['postgres-password', 'postgres-reader-password', 'spark-rest-key'],
      ],
      grafana: ['grafana-admin-password', 'postgres-reader-password'],
    });
    const owners = {
      postgres: 999,
      'spark-master': 185,
      'spark-worker': 185,
      cryptopipe: 1000,
      airflow: 50_000,
      grafana: 472,
    };
    for (const [service, uid] of Object.entries(owners)) {
      expect(statSync(path('keys', service))).toMatchObject({ uid, mode: 0o40500 });
      for (const name of readdirSync(path('keys', service)))
        expect(statSync(path('keys', service, name))).toMatchObject({ uid, mode: 0o100400 });
    }
    for (const name of readdirSync(path('keys', 'made')))
      expect(statSync(path('keys', 'made', name))).toMatchObject({ uid: 0, mode: 0o100600 });
  });

  it('makes keys of the forms that are needed, the same for all, and keeps them', async () => {
    await makeKeys();
    const first = keys();
    expect(first['spark-master/spark-rest-key']).toMatch(restKeyPattern);
    expect(first['airflow/spark-rest-key']).toBe(first['spark-master/spark-rest-key']);
    expect(Buffer.from(first['airflow/airflow-fernet-key'] ?? '', 'base64url')).toHaveLength(32);
    expect(first['airflow/airflow-fernet-key']).toHaveLength(44);
    expect(first['postgres/postgres-password']).toBe('crypto');
    expect(first['airflow/airflow-database-url']).toBe(
      `postgresql+psycopg2://airflow:${first['postgres/airflow-database-password'] ?? ''}@postgres:5432/airflow`,
    );
    const made = Object.entries(first).filter(([name]) => !name.endsWith('/postgres-password'));
    const names = new Set(made.map(([name]) => name.split('/')[1]));
    expect(new Set(made.map(([, value]) => value)).size).toBe(names.size);
    await makeKeys();
    expect(keys()).toEqual(first);
  });

  it('takes a value that is given, and a file above it', async () => {
    await makeKeys({ POSTGRES_PASSWORD: 'chosen one', GRAFANA_ADMIN_PASSWORD: 'other' });
    expect(keys()).toMatchObject({
      'spark-worker/postgres-password': 'chosen one',
      'grafana/grafana-admin-password': 'other',
    });
    writeFileSync(path('secrets', 'postgres-password'), 'from the file\n');
    await makeKeys({ POSTGRES_PASSWORD: 'chosen one' });
    expect(keys()).toMatchObject({ 'postgres/postgres-password': 'from the file' });
  });
});

it('are checked out with Unix line ends on every system, for the shells of the containers', async () => {
  const git = ['check-attr', 'eol', '--', 'docker/keys/make-keys.sh', 'docker/cryptopipe/build.sh'];
  expect((await execa('git', git, { cwd: root })).stdout.split('\n')).toEqual([
    'docker/keys/make-keys.sh: eol: lf',
    'docker/cryptopipe/build.sh: eol: lf',
  ]);
});

describe('prepare-volumes.sh', () => {
  const owner = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const prepare = () => run('hdfs/prepare-volumes.sh', { HDFS_ROOT: folder, HDFS_OWNER: owner });

  const volumes = (...names: string[]): void => {
    for (const name of names) mkdirSync(path(name), { recursive: true });
  };

  it('clears what an interrupted format has left, and keeps one that was finished', async () => {
    volumes('datanode', 'secondarynamenode', 'namenode/name/current');
    await prepare();
    expect(existsSync(path('namenode', 'name'))).toBe(false);
    volumes('namenode/name/current');
    writeFileSync(path('namenode', 'name', 'current', 'VERSION'), 'clusterID=CID-1\n');
    await prepare();
    expect(text('namenode', 'name', 'current', 'VERSION')).toBe('clusterID=CID-1\n');
  });

  it('refuses a new file system beside the blocks of another, and removes nothing', async () => {
    volumes('datanode/data/current', 'secondarynamenode', 'namenode/name/current');
    writeFileSync(path('datanode', 'data', 'current', 'VERSION'), 'clusterID=CID-1\n');
    await expect(prepare()).rejects.toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        'error: the volume namenode-data holds no file system, but datanode-data holds blocks of one',
      ) as string,
    });
    expect(existsSync(path('namenode', 'name', 'current'))).toBe(true);
  });

  it.each(['fsimage_0000000000000000042', 'edits_inprogress_0000000000000000043'])(
    'refuses a new file system in the place of one that lacks its VERSION, by %s',
    async (name) => {
      volumes('datanode', 'secondarynamenode', 'namenode/name/current');
      writeFileSync(path('namenode', 'name', 'current', name), 'data');
      await expect(prepare()).rejects.toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('but not its file current/VERSION') as string,
      });
      expect(text('namenode', 'name', 'current', name)).toBe('data');
    },
  );
});

describe('start-hdfs.sh', () => {
  const start = (starter: string) =>
    run(
      'hdfs/start-hdfs.sh',
      { PATH: `${path('bin')}:${process.env['PATH'] ?? ''}`, HADOOP_STARTER: starter },
      ['namenode'],
    );

  // Both forms of the image's script have been published.
  it.each(['$@', 'exec "$@"'])(
    'becomes the server after the starter of the image, which ends by %s',
    async (end) => {
      const starter = stub('starter.sh', `echo configured\n${end}`);
      stub('hdfs', 'echo "hdfs $* as $$"');
      const subprocess = start(starter);
      const { stdout } = await subprocess;
      expect(stdout).toBe(`configured\nhdfs namenode as ${String(subprocess.pid)}`);
    },
  );

  it('starts no server where the configuration could not be written', async () => {
    const starter = stub('starter.sh', 'exit 2');
    stub('hdfs', 'echo "hdfs $*"');
    await expect(start(starter)).rejects.toMatchObject({ exitCode: 2, stdout: '' });
  });
});

describe('start-master.sh', () => {
  it('writes the key beside the other settings, for its user alone, and becomes the master', async () => {
    stub('spark-class', 'echo "$@"');
    mkdirSync(path('conf'));
    writeFileSync(path('key'), 'the-key\n');
    const { stdout } = await run('spark/start-master.sh', {
      SPARK_HOME: folder,
      SPARK_REST_KEY_FILE: path('key'),
    });
    expect(stdout).toBe(
      'org.apache.spark.deploy.master.Master --host spark-master --port 7077 --webui-port 8080',
    );
    expect(text('conf', 'spark-defaults.conf')).toBe(
      `${readFileSync(join(root, 'docker/spark/spark-master.conf'), 'utf8')}spark.org.apache.spark.ui.JWSFilter.param.secretKey the-key\n`,
    );
    expect(statSync(path('conf', 'spark-defaults.conf')).mode & 0o777).toBe(0o600);
  });

  it('does not start without its key', async () => {
    stub('spark-class', 'echo started');
    mkdirSync(path('conf'));
    const missing = run('spark/start-master.sh', { SPARK_HOME: folder, SPARK_REST_KEY_FILE: path('none') });
    await expect(missing).rejects.toMatchObject({ exitCode: 1, stdout: '' });
  });
});

describe('start-grafana.sh', () => {
  it('gives the password of the reader to the data source', async () => {
    writeFileSync(path('postgres-reader-password'), 'reader\n');
    const grafana = stub('grafana', 'echo "$POSTGRES_READER_PASSWORD"');
    expect((await run('grafana/start-grafana.sh', { KEYS_DIR: folder, GRAFANA_RUN: grafana })).stdout).toBe(
      'reader',
    );
  });
});
