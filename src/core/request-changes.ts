import type { ParameterValues } from './job-parameters.js';
import type { SubmissionRequest } from './ports/spark.js';

/** One setting that two submissions do not have in common; undefined where one of them does not have it. */
export interface Change {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What stands in an option list of spark-submit before the program: `--conf a=b` becomes `a`, `--jars x` stays so. */
function optionsOf(args: readonly string[]): { settings: Map<string, string>; rest: readonly string[] } {
  const settings = new Map<string, string>();
  let at = 0;
  for (; args[at]?.startsWith('--') === true; at += 2) {
    const [option = '', value = ''] = args.slice(at, at + 2);
    const equals = value.indexOf('=');
    if (option === '--conf') settings.set(value.slice(0, equals), value.slice(equals + 1));
    else settings.set(option, value);
  }
  return { settings, rest: args.slice(at) };
}

/**
 * What makes two runs of one job differ by itself: each has its own run id and its own place of the text. What the workers
 * check follows from the text and from `supervise`.
 */
const ownOfEachRun = new Set([
  ...['--name', 'spark.app.name'],
  ...['CRYPTOPIPE_PROGRAM_FILES', 'CRYPTOPIPE_REFUSED_EXIT_CODE'],
]);

function withoutRunId(args: readonly string[]): readonly string[] {
  const at = args.indexOf('--run-id');
  return at < 0 ? args : [...args.slice(0, at), ...args.slice(at + 2)];
}

/** Everything of a request that a person would call a setting, by its name. */
function settingsOf(request: SubmissionRequest): ReadonlyMap<string, string> {
  const isPython = request.mainClass === 'org.apache.spark.deploy.SparkSubmit';
  const { settings, rest } = isPython
    ? optionsOf(request.appArgs)
    : { settings: new Map<string, string>(), rest: [request.appResource, ...request.appArgs] };
  const all = new Map([
    ...Object.entries(request.sparkProperties),
    ...settings,
    ...Object.entries(request.environmentVariables),
    ['main class', request.mainClass],
    ['arguments', withoutRunId(rest).slice(1).join(' ')],
  ]);
  for (const name of ownOfEachRun) all.delete(name);
  return all;
}

/** What differs between two lists of names and values, in order of name. */
function changesBetween(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Change[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .map((name) => ({ name, before: before.get(name), after: after.get(name) }))
    .filter((change) => change.before !== change.after);
}

/** The settings of Spark and of the program that differ between two submissions of one job. */
export function settingChanges(before: SubmissionRequest, after: SubmissionRequest): Change[] {
  return changesBetween(settingsOf(before), settingsOf(after));
}

const asTexts = (values: ParameterValues): ReadonlyMap<string, string> =>
  new Map(Object.entries(values).map(([name, value]) => [name, String(value)]));

/** The parameters that differ between two runs of one job. */
export function parameterChanges(before: ParameterValues, after: ParameterValues): Change[] {
  return changesBetween(asTexts(before), asTexts(after));
}
