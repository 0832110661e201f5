import type { JobResources } from './job.js';
import type { ParameterValues } from './job-parameters.js';
import type { JobRun } from './ports/runs.js';
import type { SubmissionRequest } from './ports/spark.js';

/** What a submission must know of the cluster; paths are those of the workers. */
export interface ClusterView {
  readonly masterUrl: string;
  readonly sparkVersion: string;
  readonly jars: readonly string[];
  readonly python: string;
  /** HADOOP_USER_NAME of driver and executors, where it was set; else the workers' own. */
  readonly hadoopUser?: string | undefined;
  /** First port to try for the application's web page; undefined leaves it to Spark. */
  readonly driverUiPort: number | undefined;
}

/** What Spark hides in its pages and event logs: its own default, and the words that it forgets. */
const redacted = '(?i)secret|passw(or)?d|token|credential|jaas|private|access[.]?key';

/** Spark settings that a submission makes itself, with what to write instead; the same in a manifest would be ignored or break it. */
export const ownSettings: Readonly<Record<string, string>> = {
  'spark.app.name': 'write app_name; a run is found by the name that is made of it',
  'spark.master': 'write SPARK_MASTER_URL',
  'spark.submit.deployMode': 'a job always runs in cluster mode',
  'spark.driver.cores': 'write resources.driver_cores',
  'spark.driver.memory': 'write resources.driver_memory',
  'spark.driver.supervise': 'write supervise',
  'spark.executor.cores': 'write resources.executor_cores',
  'spark.executor.memory': 'write resources.executor_memory',
  'spark.cores.max': 'write resources.cores_max',
  'spark.redaction.regex': 'what is hidden is the same for every job',
  'spark.pyspark.python': 'write PYSPARK_PYTHON',
  'spark.pyspark.driver.python': 'write PYSPARK_PYTHON; the workers check the program with it',
};

/** A file that is stored before Spark hears of the run; named by its content, so it never changes under a run. */
export interface StoredFile {
  readonly name: string;
  readonly sha256: string;
  readonly content: Uint8Array;
}

/** What Spark starts. An address that begins with `/` is a path in the file store. */
type Program = {
  readonly address: string;
  readonly args: readonly string[];
  /** Beside those that every job has; driver and executors get them. */
  readonly jars: readonly string[];
} & (
  | { readonly kind: 'python'; readonly pyFiles: readonly string[] }
  | { readonly kind: 'jar'; readonly mainClass: string }
);

/** Everything of a submission but its run id: what a rendered job or an existing program is turned into. */
export interface Work {
  /** The name in the book of runs. */
  readonly job: string;
  /** The application's name is this, a dash and the run id. */
  readonly appName: string;
  readonly single: boolean;
  readonly supervise: boolean;
  /** True where the program itself writes into the book of runs that it lives and how it ended; it takes `--run-id`. */
  readonly registersItself: boolean;
  readonly parameters: ParameterValues;
  readonly resources: JobResources;
  readonly sparkSettings: Readonly<Record<string, string>>;
  readonly files: readonly StoredFile[];
  readonly program: Program;
}

/** The application's name of a run: it begins with the job's and ends with the run id, by which a lost run is found. */
export function appNameOf(work: Pick<Work, 'appName'>, runId: string): string {
  return `${work.appName}-${runId}`;
}

/** Where a stored file lies in the file store. */
export function storedPathOf(file: Pick<StoredFile, 'name' | 'sha256'>): string {
  return `/jobs/${file.sha256}/${file.name}`;
}

function applicationSettings(work: Work, cluster: ClusterView): Record<string, string> {
  return {
    'spark.cores.max': String(work.resources.coresMax),
    'spark.executor.cores': String(work.resources.executorCores),
    'spark.executor.memory': work.resources.executorMemory,
    // The application's page asks nobody who they are, and a job of Spark that is killed there fails its batch.
    'spark.ui.killEnabled': 'false',
    ...work.sparkSettings,
    ...(cluster.hadoopUser === undefined ? {} : { 'spark.executorEnv.HADOOP_USER_NAME': cluster.hadoopUser }),
    ...(cluster.driverUiPort === undefined ? {} : { 'spark.ui.port': String(cluster.driverUiPort) }),
    'spark.redaction.regex': redacted,
  };
}

/** What the driver's JVM is launched with: later it is too late for them. */
const isOfLaunch = (name: string): boolean =>
  /^spark\.driver\.(extraJavaOptions|defaultJavaOptions|extraClassPath|extraLibraryPath)$/.test(name);

/** What both kinds of drivers are started with; the driver's own JVM takes its size and options from here only. */
function driverProperties(work: Work, appName: string, cluster: ClusterView): Record<string, string> {
  return {
    ...Object.fromEntries(Object.entries(work.sparkSettings).filter(([name]) => isOfLaunch(name))),
    'spark.master': cluster.masterUrl,
    'spark.app.name': appName,
    'spark.submit.deployMode': 'cluster',
    'spark.driver.memory': work.resources.driverMemory,
    'spark.driver.cores': String(work.resources.driverCores),
    'spark.driver.supervise': String(work.supervise),
  };
}

type ProgramPart = Pick<
  SubmissionRequest,
  'mainClass' | 'appResource' | 'appArgs' | 'sparkProperties' | 'environmentVariables'
>;

/**
 * A client-mode SparkSubmit runs inside the driver on a worker, which is how Python gets into a standalone cluster in
 * cluster mode (https://spark.apache.org/docs/latest/spark-standalone.html).
 *
 * The master's address stands in three places: the inner SparkSubmit reads none of the outer properties, and where it
 * finds no master it runs on `local[*]` without a word.
 */
function pythonPart(
  run: { readonly work: Work; readonly runId: string; readonly addressOf: (address: string) => string },
  program: Extract<Program, { kind: 'python' }>,
  cluster: ClusterView,
): ProgramPart {
  const { work, runId, addressOf } = run;
  const appName = appNameOf(work, runId);
  const option = (name: string, values: readonly string[]): string[] =>
    values.length === 0 ? [] : [name, values.join(',')];
  const settings = Object.entries(applicationSettings(work, cluster)).filter(([name]) => !isOfLaunch(name));
  return {
    mainClass: 'org.apache.spark.deploy.SparkSubmit',
    appResource: '',
    appArgs: [
      ...['--master', cluster.masterUrl, '--name', appName],
      ...option('--jars', [...cluster.jars, ...program.jars.map(addressOf)]),
      ...option('--py-files', program.pyFiles.map(addressOf)),
      ...settings.flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
      addressOf(program.address),
      ...(work.registersItself ? ['--run-id', runId] : []),
      ...program.args,
    ],
    sparkProperties: driverProperties(work, appName, cluster),
    environmentVariables: {
      MASTER: cluster.masterUrl,
      PYSPARK_PYTHON: cluster.python,
      ...checkedFiles(work, [program.address, ...program.pyFiles]),
      ...hadoopUserOf(cluster),
    },
  };
}

/**
 * What the check of our workers takes (docker/spark/driver-python.sh): the stored files that the driver's Python loads, the
 * program first. On other workers these variables mean nothing.
 */
function checkedFiles({ files, supervise }: Work, addresses: readonly string[]): Record<string, string> {
  const stored = addresses.flatMap((address) => files.find((file) => storedPathOf(file) === address) ?? []);
  // Only with a stored program can the first of the list be it.
  if (stored[0] === undefined || storedPathOf(stored[0]) !== addresses[0]) return {};
  return {
    CRYPTOPIPE_PROGRAM_FILES: stored.map(({ name, sha256 }) => `${name}:${sha256}`).join(' '),
    // Else Spark would start it again and again, with the same file.
    ...(supervise ? { CRYPTOPIPE_REFUSED_EXIT_CODE: '0' } : {}),
  };
}

/** Whether our workers check the program of this request before they run it. */
export const isChecked = (request: SubmissionRequest | undefined): boolean =>
  request?.environmentVariables['CRYPTOPIPE_PROGRAM_FILES'] !== undefined;

const hadoopUserOf = ({ hadoopUser }: ClusterView): Record<string, string> =>
  hadoopUser === undefined ? {} : { HADOOP_USER_NAME: hadoopUser };

/** The driver is the program's own JVM, and every setting reaches it as a system property. */
function jarPart(
  run: { readonly work: Work; readonly runId: string; readonly addressOf: (address: string) => string },
  program: Extract<Program, { kind: 'jar' }>,
  cluster: ClusterView,
): ProgramPart {
  const { work, runId, addressOf } = run;
  const jars = [addressOf(program.address), ...cluster.jars, ...program.jars.map(addressOf)];
  return {
    mainClass: program.mainClass,
    appResource: addressOf(program.address),
    appArgs: program.args,
    sparkProperties: {
      ...applicationSettings(work, cluster),
      ...driverProperties(work, appNameOf(work, runId), cluster),
      'spark.jars': jars.join(','),
    },
    environmentVariables: hadoopUserOf(cluster),
  };
}

/**
 * The body of the one POST that starts a run. Holds no secret: arguments are visible to all and never redacted.
 * @param run.hdfsRoot `hdfs://host:port`, as the cluster sees the file store.
 */
export function submissionRequest(
  run: { readonly work: Work; readonly runId: string; readonly hdfsRoot: string },
  cluster: ClusterView,
): SubmissionRequest {
  const { program } = run.work;
  const addressOf = (address: string): string =>
    address.startsWith('/') ? `${run.hdfsRoot}${address}` : address;
  const named = { work: run.work, runId: run.runId, addressOf };
  return {
    action: 'CreateSubmissionRequest',
    clientSparkVersion: cluster.sparkVersion,
    ...(program.kind === 'python' ? pythonPart(named, program, cluster) : jarPart(named, program, cluster)),
  };
}

/** False for a program that knows nothing of the book of runs: of its life only Spark can tell. */
export function registersItself({ runId, request }: Pick<JobRun, 'runId' | 'request'>): boolean {
  return (
    request === undefined ||
    request.appArgs.some((arg, at) => arg === '--run-id' && request.appArgs[at + 1] === runId)
  );
}

/** A Spark setting of a request, wherever it stands in it. */
export function settingOf({ sparkProperties, appArgs }: SubmissionRequest, name: string): string | undefined {
  const argument = appArgs.find((arg, at) => appArgs[at - 1] === '--conf' && arg.startsWith(`${name}=`));
  return argument?.slice(name.length + 1) ?? sparkProperties[name];
}
