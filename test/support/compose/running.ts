import { isOneShot, interpolated, mountsOf, type ComposeFile, type Service } from './model.js';
import { eachService, type Rule } from './rules.js';

// What goes wrong after the first start: reboots, orderly stops, outages, changed settings, weeks of logs.

const service = (file: ComposeFile, name: string): Service => {
  const found = interpolated(file).services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};

/** Docker Hub's apache/hadoop is not among them: it is built for amd64 alone. */
const builtForArm64 = ['ghcr.io/apache/hadoop', 'apache/kafka', 'postgres', 'grafana/grafana'];

export const imagesRunOnArm64 = eachService(({ image }) => {
  const [name = ''] = image.split(':');
  return name.startsWith('cryptopipe-') || builtForArm64.includes(name)
    ? []
    : [`${name} is not known to be built for arm64`];
});

/** The image's entry point, where it has one, hands a signal to its child; a shell without `exec` between them loses it. */
export const stopSignalsReachTheServers: Rule = (file) => [
  ...eachService(({ init, restart, image }) =>
    restart === 'unless-stopped' && init !== true && !/^(postgres|cryptopipe-airflow):/.test(image)
      ? ['has no init process']
      : [],
  )(file),
  ...['namenode', 'secondarynamenode', 'datanode']
    .filter((name) => service(file, name).entrypoint?.[1] !== '/opt/cryptopipe/start-hdfs.sh')
    .map((name) => `${name}: does not start by start-hdfs.sh`),
  ...(service(file, 'airflow').environment?.['DUMB_INIT_SETSID'] === '0'
    ? []
    : ['airflow: each of its processes gets the stop signal, not the start script alone']),
];

/** A worker that may report stops its drivers as killed on request, and found at its old address it does not register. */
export const driversSurviveTheWorker: Rule = (file) => {
  const { command = [], stop_signal } = service(file, 'spark-worker');
  return [
    ...(stop_signal === 'SIGKILL'
      ? []
      : ['an orderly stop of spark-worker ends supervised drivers for good']),
    ...(command.includes('--port') ? ['spark-worker has a fixed port, so it may not register again'] : []),
  ];
};

/** Old versions of Compose start everything behind a changed one-shot anew, the running jobs too. */
export const oneShotsReadNothingOfTheExchange: Rule = (file) => {
  const dependencies = Object.values(file.services).flatMap(({ depends_on = {} }) => Object.keys(depends_on));
  return eachService((one, name) =>
    isOneShot(one) && dependencies.includes(name)
      ? Object.keys(one.environment ?? {})
          .filter((variable) => variable.startsWith('CRYPTO_'))
          .map((variable) => `reads ${variable}, so a change of it restarts what depends on it`)
      : [],
  )(file);
};

export const airflowsDatabaseIsEnsuredAtEachStart: Rule = (file) => [
  ...eachService((one) =>
    mountsOf(one)
      .filter(({ target }) => target.startsWith('/docker-entrypoint-initdb.d'))
      .map(({ target }) => `runs ${target} at the very first start only`),
  )(file),
  ...(file.services['airflow']?.depends_on?.['airflow-database']?.condition ===
  'service_completed_successfully'
    ? []
    : ['airflow: does not wait for airflow-database']),
];

/** What the images declare as volumes; where nothing is mounted, each new container leaves a volume without a name. */
const declaredVolumes: Readonly<Record<string, readonly string[]>> = {
  postgres: ['/var/lib/postgresql'],
  'apache/kafka': ['/var/lib/kafka/data', '/etc/kafka/secrets', '/mnt/shared/config'],
};

export const noAnonymousVolumes = eachService((one) => {
  const covered = [...mountsOf(one).map(({ target }) => target), ...(one.tmpfs ?? [])];
  return (declaredVolumes[one.image.split(':')[0] ?? ''] ?? [])
    .filter((path) => !covered.includes(path))
    .map((path) => `leaves an anonymous volume of ${path}`);
});

/** Grafana 13 before 13.1.5 leaks memory for each compressed answer; its data sources take any SQL of who may see them. */
export const grafanaIsBoundedAndAsksForALogin: Rule = (file) => {
  const { image, environment = {}, deploy } = service(file, 'grafana');
  const [major = 0, minor = 0, patch = 0] = (image.split(':')[1] ?? '').split('.').map(Number);
  const limit = Number(/^(\d+)m$/.exec(deploy?.resources?.limits?.memory ?? '')?.[1]);
  const goLimit = Number(/^(\d+)MiB$/.exec(environment['GOMEMLIMIT'] ?? '')?.[1]);
  const hidden = mountsOf(service(file, 'grafana')).filter(
    ({ target }) => target === '/etc/grafana/provisioning',
  );
  return [
    ...(environment['GF_AUTH_ANONYMOUS_ENABLED'] === 'false' ? [] : ['grafana: lets anybody in']),
    ...(environment['GF_SERVER_ENABLE_GZIP'] === 'false' ? [] : ['grafana: compresses its answers']),
    ...(major === 13 && minor === 1 && patch >= 5
      ? []
      : [`grafana: ${image} is not 13.1.5 or newer of 13.1`]),
    ...(limit >= 512 && goLimit <= limit * 0.9
      ? []
      : ['grafana: has no room between GOMEMLIMIT and its limit']),
    ...(hidden.length === 0 ? [] : ["grafana: hides the image's other folders of provisioning"]),
  ];
};

/** Beside what the containers print, which Docker bounds. */
export const filesOfLogsDoNotGrow: Rule = (file) => {
  const kafka = service(file, 'kafka');
  const worker = service(file, 'spark-worker').environment?.['SPARK_WORKER_OPTS'] ?? '';
  return [
    ...(mountsOf(kafka).some(
      ({ source, target }) => source === './docker/kafka' && target === '/mnt/shared/config',
    )
      ? []
      : ['kafka: writes log files into its own layer']),
    ...(kafka.environment?.['EXTRA_ARGS'] === '-name kafkaServer' ? [] : ['kafka: logs garbage collection']),
    ...['namenode', 'secondarynamenode', 'datanode']
      .filter((name) => service(file, name).environment?.['HDFS_AUDIT_LOGGER'] !== 'INFO,NullAppender')
      .map((name) => `${name}: its audit log is not off`),
    ...(worker.includes('-Dspark.worker.cleanup.enabled=true')
      ? []
      : ['spark-worker: keeps the folders of all that has ended']),
  ];
};

/** Each check of Kafka starts a JVM. */
export const kafkasCheckIsSeldom: Rule = (file) =>
  service(file, 'kafka').healthcheck?.interval === '60s' ? [] : ['kafka: is checked more than once a minute'];
