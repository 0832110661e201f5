import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { keptPlaces } from '../core/connection-values.js';
import { ConfigError, UsageError } from '../core/errors.js';
import type { Job } from '../core/job.js';
import type { Catalogue } from '../core/ports/check.js';
import { problemLine, type Problem } from '../core/problem.js';
import { isSecretName, secretForm } from '../core/secret-looks.js';
import { ownSettings } from '../core/submission.js';
import { checkValue, type JobParameter, type ParameterValues } from '../core/job-parameters.js';
import { sqlOutput, stdoutTarget, type SqlTarget } from '../core/sql-output.js';
import { manifestSchema, type Manifest } from './job-manifest.js';

const suffix = '.job.yaml';

/** Manifests lie in the folder itself or in one below it. */
function manifestsIn(folder: string): string[] {
  if (!existsSync(folder))
    throw new ConfigError(`There is no folder of jobs ${folder}`, {
      nextStep: `Name a folder with manifests (*${suffix}) by --jobs or CRYPTOPIPE_JOBS_DIR.`,
    });
  const found = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(join(folder, entry.name)).map((name) => join(folder, entry.name, name))
      : [join(folder, entry.name)],
  );
  return found.filter((path) => path.endsWith(suffix)).sort();
}

type Place = (path: readonly PropertyKey[]) => Pick<Problem, 'file' | 'line'>;

/** File and line of what a path of keys leads to, or of the nearest thing around it. */
function placeIn(file: string, document: Document, lines: LineCounter): Place {
  return (path) => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      const range = (node as { range?: [number] } | undefined)?.range;
      if (range) return { file, line: lines.linePos(range[0]).line };
    }
    return { file };
  };
}

function saidOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `has no such entry: ${issue.keys.join(', ')}`;
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  return issue.code === 'invalid_type' && issue.input === undefined ? 'is missing' : issue.message;
}

function messageOf(issue: z.core.$ZodIssue): string {
  const name = issue.path.map(String).join('.');
  return name === '' ? `the manifest ${saidOf(issue)}` : `${name} ${saidOf(issue)}`;
}

/** Puts what the configuration says in the place of `${name}`. */
function filled(text: string, connection: ParameterValues, problems: string[]): string {
  return text.replace(/\$\{(\w+)\}/g, (whole: string, name: string) => {
    const value = connection[name];
    if (value === undefined)
      problems.push(`holds ${whole}, which is none of ${Object.keys(connection).join(', ')}`);
    return String(value ?? '');
  });
}

/** The value that is wrong, where it may be shown. */
const quoted = (name: string, text: string): string =>
  isSecretName(name) || secretForm(text) !== undefined || text === '' ? '' : `${text} `;

function parametersOf(
  manifest: Manifest,
  connection: ParameterValues,
  place: Place,
  problems: Problem[],
): JobParameter[] {
  const names = new Set<string>();
  return manifest.parameters.map((raw, index) => {
    const say = (key: string, problem: string): unknown =>
      problems.push({
        ...{ kind: 'parameter', parameter: raw.name, message: `parameter ${raw.name}: ${problem}` },
        ...place(['parameters', index, key]),
      });
    if (names.has(raw.name)) say('name', 'is there twice');
    names.add(raw.name);
    const wrong: string[] = [];
    const text = raw.default === undefined ? undefined : filled(raw.default, connection, wrong);
    const result = { ...raw, default: text } as JobParameter;
    if (text !== undefined && wrong.length === 0) {
      const checked = checkValue(result, text);
      if ('problem' in checked) wrong.push(checked.problem);
    }
    wrong.forEach((problem) => say('default', `its default ${quoted(raw.name, text ?? '')}${problem}`));
    return result;
  });
}

/** A checkpoint names parameters of the same job; the one that holds it is an address. */
function checkCheckpoint({ checkpoint, parameters }: Manifest, place: Place, problems: Problem[]): void {
  if (checkpoint === undefined) return;
  const say = (key: string, name: string, what: string): unknown =>
    problems.push({
      ...{ kind: 'manifest', ...place(['checkpoint', key]) },
      message: `checkpoint.${key} ${name} ${what}`,
    });
  if (!parameters.some(({ name, type }) => name === checkpoint.parameter && type === 'url'))
    say('parameter', checkpoint.parameter, 'is no parameter of type url');
  for (const name of checkpoint.belongs_to)
    if (!parameters.some((one) => one.name === name)) say('belongs_to', name, 'is no parameter');
}

/** Where a job of SQL says that its rows go; a job of Python says so itself. */
function targetOf(
  manifest: Manifest,
  connection: ParameterValues,
  place: Place,
  problems: Problem[],
): SqlTarget | undefined {
  const { to, key, partition_by: partitionBy, overwrite } = manifest;
  if (!manifest.template.endsWith('.sql.hbs')) {
    const said = Object.entries({ to, key, partition_by: partitionBy, overwrite });
    for (const [name, value] of said)
      if (value !== undefined)
        problems.push({
          ...{ kind: 'manifest', ...place([name]) },
          message: `${name} goes with a template that ends in .sql.hbs`,
        });
    return undefined;
  }
  const wrong: string[] = [];
  const target = {
    to: filled(to ?? stdoutTarget.to, connection, wrong),
    ...{ key: key ?? [], partitionBy: partitionBy ?? [], overwrite: overwrite ?? false },
  };
  try {
    sqlOutput(target, keptPlaces(connection));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    wrong.push(error.message);
  }
  for (const problem of wrong)
    problems.push({ kind: 'manifest', ...place(['to']), message: `to: ${problem}` });
  return target;
}

function toJob(
  manifest: Manifest,
  file: string,
  target: SqlTarget | undefined,
  parameters: readonly JobParameter[],
  connection: ParameterValues,
): Job {
  const { resources } = manifest;
  return {
    name: manifest.name,
    meaning: manifest.meaning,
    appName: manifest.app_name,
    template: join(dirname(file), manifest.template),
    manifest: file,
    single: manifest.single,
    supervise: manifest.supervise,
    target,
    parameters,
    checkpoint: manifest.checkpoint && {
      parameter: manifest.checkpoint.parameter,
      belongsTo: manifest.checkpoint.belongs_to,
    },
    resources: {
      driverCores: resources.driver_cores,
      driverMemory: resources.driver_memory,
      executorCores: resources.executor_cores,
      executorMemory: resources.executor_memory,
      coresMax: resources.cores_max,
    },
    sparkSettings: manifest.spark,
    connection,
  };
}

function readManifest(file: string, connection: ParameterValues, problems: Problem[]): Job | undefined {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
  });
  const place = placeIn(file, document, lines);
  for (const { message, pos } of document.errors)
    problems.push({
      kind: 'manifest',
      file,
      line: lines.linePos(pos[0]).line,
      message: `is no YAML: ${message}`,
    });
  if (document.errors.length > 0) return undefined;
  const parsed = manifestSchema.safeParse(document.toJS(), { reportInput: true });
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      problems.push({ kind: 'manifest', ...place(issue.path), message: messageOf(issue) });
    return undefined;
  }
  const manifest = parsed.data;
  const before = problems.length;
  const parameters = parametersOf(manifest, connection, place, problems);
  checkCheckpoint(manifest, place, problems);
  const target = targetOf(manifest, connection, place, problems);
  const job = toJob(manifest, file, target, parameters, connection);
  if (!existsSync(job.template))
    problems.push({
      ...{ kind: 'template', ...place(['template']) },
      message: `there is no template ${manifest.template} beside the manifest`,
    });
  problems.push(...contradictions(manifest, place));
  return problems.length === before ? job : undefined;
}

/** What a manifest says in two places, or in a way that can never start. */
function contradictions({ spark, resources }: Manifest, place: Place): Problem[] {
  const twice = Object.keys(spark)
    .filter((name) => name in ownSettings)
    .map((name): Problem => {
      const message = `${name} is not for a manifest: ${ownSettings[name] ?? ''}`;
      return { kind: 'name', ...place(['spark', name]), message };
    });
  if (resources.cores_max >= resources.executor_cores) return twice;
  const message = `cores_max ${resources.cores_max} is less than executor_cores ${resources.executor_cores}: no executor would ever start`;
  return [...twice, { kind: 'resources', ...place(['resources', 'cores_max']), message }];
}

/** Two jobs of one name could not be told apart; two of one application name neither, on the master. */
function withoutTwins(jobs: readonly Job[], problems: Problem[]): Job[] {
  return jobs.filter((job, index) => {
    const twin = jobs
      .slice(0, index)
      .find((other) => other.name === job.name || other.appName === job.appName);
    if (twin === undefined) return true;
    const what = twin.name === job.name ? `name ${job.name}` : `app_name ${job.appName}`;
    problems.push({ kind: 'name', file: job.manifest, message: `its ${what} is taken by ${twin.manifest}` });
    return false;
  });
}

/** Every job of some folders; the first folder's come first and keep their names. */
export function readCatalogue(folders: readonly string[], connection: ParameterValues): Catalogue {
  const problems: Problem[] = [];
  const jobs = folders
    .flatMap(manifestsIn)
    .map((file) => readManifest(file, connection, problems))
    .filter((job) => job !== undefined);
  return { jobs: withoutTwins(jobs, problems), problems };
}

/** The jobs of a catalogue. @throws ConfigError that lists every problem of every manifest. */
export function requireSound({ jobs, problems }: Catalogue): readonly Job[] {
  if (problems.length === 0) return jobs;
  const lines = problems.map((problem) => `  ${problemLine(problem)}`);
  throw new ConfigError(`The catalogue of jobs is wrong:\n${lines.join('\n')}`, {
    nextStep: 'Correct the manifests; docs/adding-a-job.md says what one holds.',
  });
}
