import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basePorts } from '../../../src/core/settings.js';
import { dataNodeServer } from '../../../src/stack/data-node.js';
import { kafkaServer } from '../../../src/stack/kafka.js';
import { logTail } from '../../../src/stack/log-tail.js';
import { nameNodeServer } from '../../../src/stack/name-node.js';
import { postgresServer } from '../../../src/stack/postgres.js';
import { secondaryNameNodeServer } from '../../../src/stack/secondary-name-node.js';
import type { Command, Server } from '../../../src/stack/server.js';
import { rollingLog } from '../../../src/stack/server-log.js';
import type { StackSettings } from '../../../src/stack/settings.js';
import { sparkMasterServer } from '../../../src/stack/spark-master.js';
import { sparkWorkerServer } from '../../../src/stack/spark-worker.js';
import { waitReady } from '../../../src/stack/wait-ready.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'server logs ü '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settings = (): StackSettings => ({
  ports: basePorts,
  portOffset: 0,
  dataDir: folder,
  cacheDir: '/cache',
  mavenUrl: 'https://repo.example',
  postgresBin: undefined,
  python: 'python3',
  environment: { PATH: '/bin' },
  postgres: { user: 'crypto', password: 'crypto', database: 'crypto' },
  hdfsUser: 'me',
  sparkRest: { key: 'k'.repeat(43), token: () => undefined },
  tasks: { environment: {}, secrets: [] },
  program: '/main.js',
  supervisor: '/supervise.js',
});

/** A file that a server takes as a sign that its storage is formatted. */
function mark(...names: string[]): void {
  const path = join(folder, ...names);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
}

function servers(): readonly Server[] {
  const spark = {
    java: 'java',
    version: '4.2.0',
    installation: { sparkHome: folder, python: '/venv/bin/python', sparkJars: [] },
  };
  const hdfs = { java: 'java', jars: [], sparkHome: folder, version: '3.5.0' };
  mark('jars', 'hadoop-client-api-3.5.0.jar');
  mark('kafka', 'data', 'meta.properties');
  mark('hdfs', 'name', 'current', 'VERSION');
  return [
    kafkaServer(settings(), { java: 'java', jars: [], version: '4.3.1' }),
    nameNodeServer(settings(), hdfs),
    secondaryNameNodeServer(settings(), hdfs),
    dataNodeServer(settings(), hdfs),
    sparkMasterServer(settings(), spark),
    sparkWorkerServer(settings(), spark),
  ];
}

/** The log4j configuration that a command names. */
function logConfigurationOf({ args, env }: Command): string {
  const words = [...args, env['SPARK_MASTER_OPTS'] ?? '', env['SPARK_WORKER_OPTS'] ?? ''].join(' ');
  const [, url = ''] = /-Dlog4j2\.configurationFile=(\S+)/.exec(words) ?? [];
  return readFileSync(fileURLToPath(url), 'utf8');
}

describe('the log of a server', () => {
  it('is one file in the folder of logs, rolled at 10 MiB, with five older ones', async () => {
    for (const server of servers()) {
      const text = logConfigurationOf(await server.prepare(AbortSignal.timeout(5000)));
      const escaped = join(folder, 'logs', `${server.name}.log`).replace('ü', String.raw`\u00fc`);
      expect(server.logPath).toBe(join(folder, 'logs', `${server.name}.log`));
      expect(text).toContain(`fileName=${escaped}\n`);
      expect(text).toContain(`filePattern=${escaped}.%i\n`);
      expect(text).toMatch(/^appender\.file\.policies\.size\.size=10485760$/m);
      expect(text).toMatch(/^appender\.file\.strategy\.max=5$/m);
      expect(text).not.toContain('Console');
    }
  });

  it('takes any path', () => {
    const text = rollingLog('/a ü/50%/${home}/x.log');
    expect(text).toContain('fileName=/a \\u00fc/50%/$${home}/x.log\n');
    expect(text).toContain('filePattern=/a \\u00fc/50%%/$${home}/x.log.%i\n');
  });

  it('has no line for each request to HDFS', async () => {
    const nameNode = servers().find(({ name }) => name === 'name-node');
    const text = logConfigurationOf(await nameNode!.prepare(AbortSignal.timeout(5000)));
    const [, logger = ''] =
      /^(.*)\.name=org\.apache\.hadoop\.hdfs\.server\.namenode\.FSNamesystem\.audit$/m.exec(text)!;
    expect(text).toContain(`${logger}.level=OFF\n`);
  });

  it('of PostgreSQL is a file for each day of the week', async () => {
    const dataFolder = join(folder, 'postgres');
    for (const name of ['PG_VERSION', join('global', 'pg_control')]) mark('postgres', name);
    const server = postgresServer(settings(), { binFolder: '/bin', dataFolder, version: '18.4' } as never);
    const old = join(dataFolder, 'log', 'postgresql-Mon.log');
    mark('postgres', 'log', 'postgresql-Mon.log');
    mark('postgres', 'log', 'postgresql-Fri.log');
    const weekAgo = new Date(Date.now() - 6.5 * 86_400_000);
    utimesSync(old, weekAgo, weekAgo);
    const { args } = await server.prepare(AbortSignal.timeout(5000));
    expect(readdirSync(join(dataFolder, 'log'))).toEqual(['postgresql-Fri.log']);
    expect(args).toEqual(
      expect.arrayContaining([
        ...['logging_collector=on', 'log_filename=postgresql-%a.log', 'log_truncate_on_rotation=on'],
        ...['log_rotation_age=1d', 'log_rotation_size=0'],
      ]),
    );
    expect(readlinkSync(server.logPath ?? '')).toBe(join(dataFolder, 'log'));
  });
});

describe('what Spark jobs log', () => {
  const prepared = () =>
    servers()
      .find(({ name }) => name === 'spark-worker')!
      .prepare(AbortSignal.timeout(5000));

  it('is warnings, and what tells the application and the end of a driver', async () => {
    const { env } = await prepared();
    const text = readFileSync(join(env['SPARK_CONF_DIR'] ?? '', 'log4j2.properties'), 'utf8');
    expect(text).toMatch(/^rootLogger\.level=WARN$/m);
    expect(text).toMatch(/^appender\.console\.target=SYSTEM_ERR$/m);
    expect(text).toMatch(/ProcessingTimeExecutor\n.*level=ERROR$/m);
    expect(
      [...text.matchAll(/^logger\.\w+\.name=(.*)\nlogger\.\w+\.level=INFO$/gm)].map(([, name]) => name),
    ).toEqual([
      'org.apache.spark.scheduler.cluster.StandaloneSchedulerBackend',
      'org.apache.spark.util.ShutdownHookManager',
    ]);
  });

  it('is rolled by size where an executor prints it, and removed a week after the end', async () => {
    const { env } = await prepared();
    const options = (env['SPARK_WORKER_OPTS'] ?? '').split(' ');
    expect(options.slice(1).sort()).toEqual([
      '-Dspark.executor.logs.rolling.maxRetainedFiles=5',
      '-Dspark.executor.logs.rolling.maxSize=10485760',
      '-Dspark.executor.logs.rolling.strategy=size',
      '-Dspark.worker.cleanup.appDataTtl=604800',
      '-Dspark.worker.cleanup.enabled=true',
    ]);
  });

  it('comes from a Python that checks its program first', async () => {
    const { env } = await prepared();
    const path = env['PYSPARK_DRIVER_PYTHON'] ?? '';
    expect(path).toBe(join(folder, 'spark-worker', 'driver-python.sh'));
    expect(readFileSync(path, 'utf8')).toContain('ProgramRefused: ');
    expect(statSync(path).mode & 0o777).toBe(0o755);
  });
});

describe('the failure of a server', () => {
  const excerptOf = async (startedAt: number): Promise<string | undefined> => {
    const failure: unknown = await waitReady({
      name: 'kafka',
      logPath: join(folder, 'kafka.log'),
      output: { path: join(folder, 'kafka.out'), startedAt },
      timeoutMs: 1000,
      signal: AbortSignal.timeout(5000),
      check: () => Promise.reject(new Error('not ready')),
      ended: () => 'exit code 1',
    }).catch((error: unknown) => error);
    return (failure as { logTail?: string }).logTail;
  };

  it('shows what it printed, and its log', async () => {
    writeFileSync(join(folder, 'kafka.out'), 'Unrecognized VM option\n');
    writeFileSync(join(folder, 'kafka.log'), 'ERROR no\n');
    expect(await excerptOf(Date.now())).toBe('Unrecognized VM option\nERROR no');
  });

  it('shows no log of an earlier start', async () => {
    writeFileSync(join(folder, 'kafka.out'), 'Unrecognized VM option\n');
    writeFileSync(join(folder, 'kafka.log'), 'ERROR of yesterday\n');
    expect(await excerptOf(Date.now() + 60_000)).toBe('Unrecognized VM option');
  });

  it('shows the newest file where the log is a folder', async () => {
    mark('log', 'postgresql-Mon.log');
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(join(folder, 'log', 'postgresql-Fri.log'), 'a\nb\nFATAL: no\n');
    expect(await logTail(join(folder, 'log'), 2)).toBe('b\nFATAL: no');
    expect(await logTail(join(folder, 'none'), 2)).toBe('');
  });
});
