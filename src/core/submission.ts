import type { Job } from './job.js';
import type { SubmissionRequest } from './ports/spark.js';

/** What a submission must know of the cluster; paths are those of the workers. */
export interface ClusterView {
  readonly masterUrl: string;
  readonly sparkVersion: string;
  readonly jars: readonly string[];
  readonly python: string;
  /** First port to try for the application's web page; undefined leaves it to Spark. */
  readonly driverUiPort: number | undefined;
}

/** What Spark hides in its pages and event logs: its own default, and the words that it forgets. */
const redacted = '(?i)secret|passw(or)?d|token|credential|jaas|private|access[.]?key';

/** The application's name of a run: it begins with the job's and ends with the run id, by which a lost run is found. */
export function appNameOf(job: Job, runId: string): string {
  return `${job.appName}-${runId}`;
}

/** Where a rendered job lies in the file store: named by its content, so it never changes under a run. */
export function jobPathOf(job: Job, sha256: string): string {
  return `/jobs/${sha256}/${job.name}.py`;
}

function applicationSettings(job: Job, cluster: ClusterView): Record<string, string> {
  return {
    'spark.cores.max': String(job.resources.coresMax),
    'spark.executor.cores': String(job.resources.executorCores),
    'spark.executor.memory': job.resources.executorMemory,
    ...job.sparkSettings,
    ...(cluster.driverUiPort === undefined ? {} : { 'spark.ui.port': String(cluster.driverUiPort) }),
    'spark.redaction.regex': redacted,
  };
}

/**
 * The body of the one POST that starts a run. A client-mode SparkSubmit runs inside the driver on a worker, which is how
 * Python gets into a standalone cluster in cluster mode (https://spark.apache.org/docs/latest/spark-standalone.html).
 *
 * The master's address stands in three places: the inner SparkSubmit reads none of the outer properties, and where it
 * finds no master it runs on `local[*]` without a word. Holds no secret: arguments are visible to all and never redacted.
 */
export function submissionRequest(
  run: { readonly job: Job; readonly runId: string; readonly jobUri: string },
  cluster: ClusterView,
): SubmissionRequest {
  const { resources } = run.job;
  const appName = appNameOf(run.job, run.runId);
  const settings = Object.entries(applicationSettings(run.job, cluster));
  return {
    action: 'CreateSubmissionRequest',
    clientSparkVersion: cluster.sparkVersion,
    mainClass: 'org.apache.spark.deploy.SparkSubmit',
    appResource: '',
    appArgs: [
      ...['--master', cluster.masterUrl, '--name', appName],
      ...(cluster.jars.length === 0 ? [] : ['--jars', cluster.jars.join(',')]),
      ...settings.flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
      ...[run.jobUri, '--run-id', run.runId],
    ],
    sparkProperties: {
      'spark.master': cluster.masterUrl,
      'spark.app.name': appName,
      'spark.submit.deployMode': 'cluster',
      'spark.driver.memory': resources.driverMemory,
      'spark.driver.cores': String(resources.driverCores),
      'spark.driver.supervise': 'false',
    },
    environmentVariables: { MASTER: cluster.masterUrl, PYSPARK_PYTHON: cluster.python },
  };
}
