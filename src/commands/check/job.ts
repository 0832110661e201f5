import { CryptopipeError } from '../../core/errors.js';
import { misfits, type WorkerSize } from '../../core/fits-workers.js';
import { readParameters, type JobParameter, type ParameterValues } from '../../core/job-parameters.js';
import type { Job, JobResources } from '../../core/job.js';
import type { TextFiles, TemplateInspector } from '../../core/ports/check.js';
import type { TemplateStore } from '../../core/ports/templates.js';
import type { Problem } from '../../core/problem.js';
import type { Source } from '../../core/rendered-lines.js';
import { sampleValues } from '../../core/sample-values.js';
import { isSecretName, secretForm, secretLook, secretsIn } from '../../core/secret-looks.js';

export interface JobPorts {
  readonly templates: TemplateStore;
  readonly inspector: TemplateInspector;
  readonly files: TextFiles;
}

export interface JobCheck {
  readonly job: Job;
  /** What `--param` says; undefined where the job is only one of many, and what is required need not be known. */
  readonly overrides: readonly string[] | undefined;
  /** The workers of a master, where one was asked. */
  readonly workers: readonly WorkerSize[] | undefined;
}

export interface CheckedJob {
  readonly job: Job;
  readonly problems: readonly Problem[];
  /** What would run; undefined where the template cannot be filled in. */
  readonly text: string | undefined;
  /** Files of statements that it runs through. */
  readonly checks: readonly Source[];
  /** Names of parameters whose value is made up. */
  readonly madeUp: readonly string[];
}

const hideIt =
  'Let the job read it on the worker, from its environment or a file, and keep the name of that here.';

/** Without the value where it may be a secret. */
const shown = (name: string, text: string | undefined): string =>
  text === undefined || isSecretName(name) || secretForm(text) !== undefined ? '' : ` (${text})`;

/** What is wrong with values as they were typed; a missing one is told apart. */
export function typedProblems(
  parameters: readonly JobParameter[],
  overrides: readonly string[],
): { readonly problem: Problem; readonly isMissing: boolean }[] {
  const names = parameters.map(({ name }) => name);
  const nextStep = names.length === 0 ? 'It has no parameters.' : `Its parameters: ${names.join(', ')}.`;
  return readParameters(parameters, overrides).problems.map(({ name, message, text }) => ({
    problem: {
      kind: 'parameter',
      parameter: name,
      message: `${name}${shown(name, text)}: ${message}`,
      nextStep,
    },
    isMissing:
      text === undefined && names.includes(name) && !overrides.some((one) => one.startsWith(`${name}=`)),
  }));
}

function parameterProblems({ job, overrides }: JobCheck): Problem[] {
  return typedProblems(job.parameters, overrides ?? [])
    .filter(({ isMissing }) => overrides !== undefined || !isMissing)
    .map(({ problem }) => problem);
}

/** The line (from 1) of the first that holds a text. */
function lineWith(text: string, part: string): number | undefined {
  const index = text.split('\n').findIndex((line) => line.includes(part));
  return index < 0 ? undefined : index + 1;
}

function secretsOfManifest(job: Job, manifest: string): Problem[] {
  const inFile = (name: string, value: string, parameter?: string): Problem[] => {
    const look = secretLook(name, value);
    const line = lineWith(manifest, value) ?? lineWith(manifest, name);
    return look === undefined
      ? []
      : [
          {
            kind: 'secret',
            file: job.manifest,
            line,
            parameter,
            message: `${name} ${look}`,
            nextStep: hideIt,
          },
        ];
  };
  return [
    ...job.parameters.flatMap(({ name, default: value }) => inFile(name, value ?? '', name)),
    ...Object.entries(job.sparkSettings).flatMap(([name, value]) => inFile(name, value)),
  ];
}

/** What was typed stays in the history of a shell, and a rendered value in the file store. */
export function secretsTyped(values: ReadonlyMap<string, string>): Problem[] {
  return [...values].flatMap(([name, value]): Problem[] => {
    const look = secretLook(name, value);
    return look === undefined
      ? []
      : [{ kind: 'secret', parameter: name, message: `the value of ${name} ${look}`, nextStep: hideIt }];
  });
}

/** What looks like a secret in the lines of a file. */
export function secretsOfFile(file: string, text: string): Problem[] {
  return secretsIn(text).map(({ line, message }) => ({
    kind: 'secret',
    file,
    line,
    message,
    nextStep: hideIt,
  }));
}

/** What a file would take of the cluster, were it submitted and nothing said of that. */
export function resourcesOfFile(
  file: string,
  resources: JobResources,
  workers: readonly WorkerSize[] | undefined,
): Problem[] {
  if (workers === undefined) return [];
  return misfits(resources, workers).map(({ message }) => ({
    ...{ kind: 'resources', file, message },
    nextStep:
      'Ask for less when you submit it (--driver-memory, --executor-memory, …), or start a larger worker.',
  }));
}

function resourceProblems({ job, workers }: JobCheck, manifest: string): Problem[] {
  return misfits(job.resources, workers ?? []).map(({ entry, message }) => ({
    ...{ kind: 'resources', file: job.manifest, message },
    line: lineWith(manifest, entry),
    nextStep: 'Ask for less in the resources of the manifest, or start a larger worker.',
  }));
}

/** Everything that can be told of one job but what Python and Spark's parser say. */
export function checkJob(ports: JobPorts, check: JobCheck): CheckedJob {
  const { job, overrides = [] } = check;
  const manifest = ports.files.read(job.manifest);
  const { values: given } = readParameters(job.parameters, overrides);
  const values: ParameterValues = { ...job.connection, ...sampleValues(job.parameters), ...given };
  const madeUp = job.parameters.map(({ name }) => name).filter((name) => !(name in given));
  const problems = [...parameterProblems(check), ...ports.inspector.problems(job.template, values)];
  const [template] = ports.inspector.sources(job.template);
  const text = fillIn(ports.templates, job, values, problems);
  problems.push(
    ...secretsOfManifest(job, manifest),
    ...(template === undefined ? [] : secretsOfFile(template.file, template.text)),
    ...(check.workers === undefined ? [] : resourceProblems(check, manifest)),
  );
  const checks = text === undefined ? [] : ports.inspector.checks(job.template);
  return { job, problems, text, checks, madeUp };
}

function fillIn(
  templates: TemplateStore,
  job: Job,
  values: ParameterValues,
  problems: Problem[],
): string | undefined {
  if (problems.some(({ kind }) => kind === 'template')) return undefined;
  try {
    return templates.job(job.template, values).text;
  } catch (error) {
    if (!(error instanceof CryptopipeError)) throw error;
    problems.push({ kind: 'template', file: job.template, message: error.message, nextStep: error.nextStep });
    return undefined;
  }
}
