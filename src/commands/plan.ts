import { checkpointFate, type CheckpointFate } from '../core/checkpoint.js';
import type { Job } from '../core/job.js';
import { UnreachableError } from '../core/errors.js';
import type { FileStore } from '../core/ports/files.js';
import type { JobRun } from '../core/ports/runs.js';
import { parameterChanges, settingChanges, type Change } from '../core/request-changes.js';
import type { Work } from '../core/submission.js';
import { livingRun, requestOf, type SubmitOptions, type SubmitPorts } from './submit.js';

export interface PlanOptions extends SubmitOptions {
  /** Undefined: as the run that lives. */
  readonly supervise?: boolean | undefined;
}

/** What would change if a job were submitted in the place of the run that lives. */
export interface Plan {
  readonly job: string;
  /** The run that would be replaced; undefined where none lives. */
  readonly running: JobRun | undefined;
  /** Both texts; `before` is undefined where nothing runs or its text is gone from the file store. */
  readonly text: { readonly before: string | undefined; readonly after: string };
  readonly parameters: readonly Change[];
  /** Undefined where the run was started by a version that did not write down what it sent. */
  readonly settings: readonly Change[] | undefined;
  readonly checkpoint: CheckpointFate;
  readonly isSame: boolean;
  /** False where runs of the job do not stand in each other's way. */
  readonly isSingle: boolean;
  /** What would be submitted. */
  readonly work: Work;
}

async function textOf(files: FileStore, run: JobRun): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await files.read(run.jobPath));
  } catch (error) {
    if (error instanceof UnreachableError) return undefined;
    throw error;
  }
}

/** Compares a submission with the run of its job that lives; starts and stops nothing. */
export async function plan(ports: SubmitPorts, job: Job, options: PlanOptions): Promise<Plan> {
  const running = await livingRun(ports, options);
  const supervise = options.supervise ?? running?.supervise ?? options.work.supervise;
  const work: Work = { ...options.work, supervise };
  const after = new TextDecoder().decode(work.files[0]?.content);
  const common = { job: work.job, running, isSingle: work.single, work };
  if (running === undefined)
    return {
      ...common,
      text: { before: undefined, after },
      parameters: [],
      settings: [],
      checkpoint: checkpointFate(job.checkpoint, {}, work.parameters),
      isSame: false,
    };
  const parameters = parameterChanges(running.parameters, work.parameters);
  const settings = running.request && settingChanges(running.request, requestOf({ ...options, work }));
  return {
    ...common,
    text: { before: await textOf(ports.files, running), after },
    parameters,
    settings,
    checkpoint: checkpointFate(job.checkpoint, running.parameters, work.parameters),
    isSame: running.templateSha256 === work.files[0]?.sha256 && settings?.length === 0,
  };
}
