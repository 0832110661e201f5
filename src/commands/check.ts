import { UsageError } from '../core/errors.js';
import { findJob, usualResources, type Job, type JobResources } from '../core/job.js';
import { splitOverride } from '../core/job-parameters.js';
import type { Catalogue, CheckedText, TextChecker, TextProblem } from '../core/ports/check.js';
import type { WorkerSize } from '../core/fits-workers.js';
import type { Problem } from '../core/problem.js';
import { originOf, type Source } from '../core/rendered-lines.js';
import { sqlHint } from '../core/sql-hints.js';
import { sqlParameters } from '../core/sql-parameters.js';
import { readSqlText } from '../core/sql-text.js';
import {
  checkJob,
  resourcesOfFile,
  secretsOfFile,
  secretsTyped,
  typedProblems,
  type CheckedJob,
  type JobPorts,
} from './check/job.js';
import type { CheckReport } from './check/report.js';

export interface CheckPorts extends JobPorts {
  readonly catalogue: Catalogue;
  readonly texts: TextChecker;
}

export interface CheckJobsOptions {
  /** All of the catalogue where none is named. */
  readonly job: string | undefined;
  readonly overrides: readonly string[];
  readonly workers: readonly WorkerSize[] | undefined;
  readonly signal: AbortSignal;
}

export interface CheckFileOptions {
  readonly file: string;
  readonly kind: 'sql' | 'python';
  /** `name=value` for the parameters of a statement. */
  readonly overrides: readonly string[];
  readonly workers: readonly WorkerSize[] | undefined;
  readonly signal: AbortSignal;
}

const pythonFirst = 'Correct it and check again: the SQL of a program is looked at once Python compiles it.';

/** A problem of a rendered text, where it comes from. Found by the lines that are alike, or else by the line itself. */
function traced(problem: TextProblem, text: string, sources: readonly Source[]): Problem {
  const { line = 1, column, kind, message, parameter } = problem;
  const content = text.split('\n')[line - 1] ?? '';
  const origin = originOf(text, sources, line);
  const nextStep = kind === 'python' ? pythonFirst : sqlHint(message, content);
  if (origin !== undefined)
    return {
      ...{ kind, message, parameter, nextStep, file: origin.file, line: origin.line },
      column: origin.isSame ? column : undefined,
    };
  return {
    kind,
    parameter,
    nextStep,
    file: sources[0]?.file,
    message: `${message}\n  in: ${content.trim()}`,
  };
}

function jobsOf(catalogue: Catalogue, name: string | undefined): readonly Job[] {
  if (name === undefined) return catalogue.jobs;
  // A job whose manifest is wrong is none that could be found; what is wrong with it says more than that.
  const isThere = catalogue.jobs.some((job) => job.name === name);
  return !isThere && catalogue.problems.length > 0 ? [] : [findJob(name, catalogue.jobs)];
}

/** A job with a target is one statement, whose parameters are its own; any other is a program. */
function kindOf({ target, parameters }: Job): Pick<CheckedText, 'kind' | 'given'> {
  return target === undefined
    ? { kind: 'python' }
    : { kind: 'sql', given: parameters.map(({ name }) => name) };
}

/** Checks one job or all; @throws UsageError where there is no such job. */
export async function checkJobs(ports: CheckPorts, options: CheckJobsOptions): Promise<CheckReport> {
  const { job: name, overrides, workers, signal } = options;
  const checked = jobsOf(ports.catalogue, name).map((job) =>
    checkJob(ports, { job, overrides: name === undefined ? undefined : overrides, workers }),
  );
  const texts = checked.flatMap(({ job, text, checks }): CheckedText[] => [
    ...(text === undefined ? [] : [{ id: job.name, text, ...kindOf(job) }]),
    ...checks.map((check) => ({ id: check.file, kind: 'sql' as const, text: check.text })),
  ]);
  const found = await ports.texts.check(texts, signal);
  return {
    checked: checked.map(({ job }) => job.name),
    problems: [
      ...ports.catalogue.problems,
      ...checked.flatMap((one) => [
        ...one.problems,
        ...(name === undefined ? [] : secretsTyped(typedValues(overrides))),
        ...found.problems.flatMap((problem) => tracedIn(ports, one, problem)),
      ]),
    ],
    skipped: found.skipped,
    madeUp: checked.flatMap(({ job, madeUp }) => madeUp.map((parameter) => `${job.name}.${parameter}`)),
    statements: found.statements,
    isWarm: found.isWarm,
  };
}

/** The problem where it comes from, if it is one of this job. */
function tracedIn(
  { inspector }: CheckPorts,
  { job, text, checks }: CheckedJob,
  problem: TextProblem,
): Problem[] {
  if (problem.id === job.name) return [traced(problem, text ?? '', inspector.sources(job.template))];
  return checks
    .filter(({ file }) => file === problem.id)
    .map((check) => traced(problem, check.text, [check]));
}

function typedValues(overrides: readonly string[]): Map<string, string> {
  return new Map(overrides.map(splitOverride).filter((parts) => parts !== undefined));
}

/** What a statement's parameters are, as `submit sql` reads them, and what is wrong with those and their values. */
function statementParameters(
  file: string,
  text: string,
  overrides: readonly string[],
): { readonly given: readonly string[]; readonly problems: readonly Problem[] } {
  try {
    const parameters = sqlParameters(readSqlText(text), overrides);
    const typed = typedValues(overrides);
    const given = parameters.filter(({ name, default: value }) => typed.has(name) || value !== undefined);
    return {
      given: given.map(({ name }) => name),
      // What is missing is said by the parser, with its place.
      problems: typedProblems(parameters, overrides)
        .filter(({ isMissing }) => !isMissing)
        .map(({ problem }) => problem),
    };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const { message, nextStep } = error;
    return {
      given: [...typedValues(overrides).keys()],
      problems: [{ kind: 'parameter', file, message, nextStep }],
    };
  }
}

/** What `submit sql` or `submit python` takes of the cluster where nobody says it. */
function resourcesOf({ jobs }: Catalogue, kind: CheckFileOptions['kind']): JobResources {
  const job = kind === 'sql' ? jobs.find(({ name }) => name === 'sql') : undefined;
  return job?.resources ?? usualResources;
}

/** Checks a file that `submit sql` or `submit python` would take. @throws UsageError where it cannot be read. */
export async function checkFile(ports: CheckPorts, options: CheckFileOptions): Promise<CheckReport> {
  const { file, kind, overrides, workers, signal } = options;
  const text = ports.files.read(file);
  const statement = kind === 'sql' ? statementParameters(file, text, overrides) : undefined;
  const given = statement === undefined ? {} : { given: statement.given };
  const found = await ports.texts.check([{ id: file, kind, text, ...given }], signal);
  const { skipped, statements, isWarm } = found;
  return {
    checked: [file],
    problems: [
      ...found.problems.map((problem) => traced(problem, text, [{ file, text }])),
      ...(statement?.problems ?? []),
      ...secretsOfFile(file, text),
      ...secretsTyped(typedValues(overrides)),
      ...resourcesOfFile(file, resourcesOf(ports.catalogue, kind), workers),
    ],
    ...{ skipped, statements, isWarm, madeUp: [] },
  };
}
