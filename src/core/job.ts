import { UsageError } from './errors.js';
import type { JobParameter, ParameterValues } from './job-parameters.js';
import type { SqlTarget } from './sql-output.js';
import { nearest } from './suggestion.js';

/** What a job takes of the cluster; memory as Spark writes it (`1g`). */
export interface JobResources {
  readonly driverCores: number;
  readonly driverMemory: string;
  readonly executorCores: number;
  readonly executorMemory: string;
  /** All executors together: without a limit an application takes every core there is. */
  readonly coresMax: number;
}

/** What is taken where neither a manifest nor a person says anything else. */
export const usualResources: JobResources = {
  driverCores: 1,
  driverMemory: '1g',
  executorCores: 2,
  executorMemory: '1g',
  coresMax: 2,
};

/** What a run takes where a person has said some of it. An executor that wants more cores than all may have would never come. */
export function resourcesWith(usual: JobResources, said: Partial<JobResources>): JobResources {
  const all = { ...usual, ...said };
  return { ...all, executorCores: said.executorCores ?? Math.min(all.executorCores, all.coresMax) };
}

/** Where a job remembers how far it is, so that its next run goes on from there. */
export interface JobCheckpoint {
  /** The parameter that holds its address. */
  readonly parameter: string;
  /** The parameters that a checkpoint belongs to: with another value of one of them it is of no use. */
  readonly belongsTo: readonly string[];
}

/** A template plus typed parameters, and what it needs to run: what a manifest `<name>.job.yaml` says. */
export interface Job {
  readonly name: string;
  readonly meaning: string;
  /** The application's name is this, a dash and the run id. */
  readonly appName: string;
  /** The file of the template. */
  readonly template: string;
  /** The file of the manifest. */
  readonly manifest: string;
  /** True where at most one run may live. */
  readonly single: boolean;
  /** True where Spark starts the driver again when it ends badly. */
  readonly supervise: boolean;
  /** Of a template of SQL: where its rows go. Of one of Python undefined. */
  readonly target: SqlTarget | undefined;
  readonly parameters: readonly JobParameter[];
  readonly checkpoint: JobCheckpoint | undefined;
  readonly resources: JobResources;
  readonly sparkSettings: Readonly<Record<string, string>>;
  /** What its template knows beside the parameters: where the servers are. */
  readonly connection: ParameterValues;
}

/** @throws UsageError with a suggestion where there is no such job. */
export function findJob(name: string, jobs: readonly Job[]): Job {
  const job = jobs.find((candidate) => candidate.name === name);
  if (job !== undefined) return job;
  const names = jobs.map((candidate) => candidate.name);
  const meant = nearest(name, names);
  const kind = /\.(sql|py|jar)$/.exec(name)?.[1];
  const asFile =
    kind === undefined ? '' : `A file is submitted as \`${kind === 'py' ? 'python' : kind} ${name}\`. `;
  throw new UsageError(`There is no job ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`, {
    nextStep: `${asFile}Known jobs: ${names.join(', ')}. See them with \`cryptopipe jobs\`.`,
  });
}
