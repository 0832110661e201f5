import { UsageError } from './errors.js';

/** Settings that would break what cryptopipe promises, or that have an option of their own; and why. */
const refused: Readonly<Record<string, string>> = {
  'spark.master': 'the cluster is the one that SPARK_MASTER_URL names',
  'spark.submit.deployMode': 'the driver always runs on a worker',
  'spark.app.name': 'it ends with the run id, by which a lost run is found; use --name',
  'spark.app.id': 'Spark gives it',
  'spark.driver.host': 'the driver runs on the worker that Spark chooses',
  'spark.driver.bindAddress': 'the driver runs on the worker that Spark chooses',
  'spark.driver.supervise': 'use --supervise',
  'spark.driver.memory': 'use --driver-memory',
  'spark.driver.cores': 'use --driver-cores',
  'spark.executor.memory': 'use --executor-memory',
  'spark.executor.cores': 'use --executor-cores',
  'spark.cores.max': 'use --cores',
  'spark.jars': 'use --jar',
  'spark.submit.pyFiles': 'use --py-file',
  'spark.ui.port': 'the first free port is taken',
  'spark.ui.killEnabled': "Spark's pages only show",
  'spark.pyspark.python': 'set PYSPARK_PYTHON',
  'spark.pyspark.driver.python': 'the workers check the program with it; set PYSPARK_PYTHON',
  'spark.redaction.regex': "it keeps secrets out of Spark's pages and logs",
};

/** In these Spark's own redaction would help on its pages, and nowhere else: not in `ps`, not on the way. */
const secretName = /password|passwd|secret|token|credential|private|access[.]?key/i;

/** A system property of the driver's JVM is a setting of Spark that the list above would not see. */
const javaOptions: ReadonlySet<string> = new Set(
  ['driver', 'executor'].flatMap((part) =>
    ['extraJavaOptions', 'defaultJavaOptions'].map((options) => `spark.${part}.${options}`),
  ),
);

function problemOf(name: string, value: string, kind: 'jar' | 'python'): string | undefined {
  if (!/^spark\.[\w.-]+$/.test(name)) return 'is no Spark setting: they begin with spark.';
  const reason = refused[name];
  if (reason !== undefined) return `cannot be set: ${reason}`;
  if (javaOptions.has(name) && value.includes('-Dspark.'))
    return 'cannot hold settings of Spark (-Dspark.…): give each as a setting of its own';
  if (kind === 'jar' && name === 'spark.jars.packages')
    return 'cannot be set: only the driver of a JAR would get them, its executors not; name each by --jar';
  if (secretName.test(name))
    return 'looks like a secret: settings are seen by all who see the process list or the master; let the program read it on the worker, from a file';
  return /^[^\p{Cc}]+$/u.test(value) ? undefined : 'has an empty value, or one with control characters';
}

/**
 * Reads `name=value` of `--conf`.
 * @throws UsageError that lists every setting that cannot be set, with the reason.
 */
export function parseSettings(texts: readonly string[], kind: 'jar' | 'python'): Record<string, string> {
  const settings: Record<string, string> = {};
  const problems: string[] = [];
  for (const text of texts) {
    const at = text.indexOf('=');
    const [name, value] = at < 1 ? [text, ''] : [text.slice(0, at).trim(), text.slice(at + 1)];
    const problem =
      at < 1 ? 'is not name=value' : name in settings ? 'is given twice' : problemOf(name, value, kind);
    if (problem === undefined) settings[name] = value;
    else problems.push(`${name}: ${problem}`);
  }
  if (problems.length === 0) return settings;
  throw new UsageError(`The Spark settings are wrong:\n${problems.map((line) => `  ${line}`).join('\n')}`);
}
