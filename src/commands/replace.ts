import { CryptopipeError, ConfigError, UsageError } from '../core/errors.js';
import type { Job } from '../core/job.js';
import type { JobRun } from '../core/ports/runs.js';
import { shellWord } from '../core/run-commands.js';
import { plan, type Plan, type PlanOptions } from './plan.js';
import { stop } from './stop.js';
import { prepare, submit, type Submitted, type SubmitPorts } from './submit.js';

export interface ReplaceOptions extends PlanOptions {
  /** Begins with an empty checkpoint; the old one is moved aside. */
  readonly newCheckpoint: boolean;
  /** How long the old run may take to its next batch boundary. */
  readonly stopTimeoutMs: number;
  /** The folder of own jobs that the caller named. */
  readonly jobsDir: string | undefined;
}

export type Replaced = Omit<Submitted, 'outcome'> & {
  readonly outcome: Submitted['outcome'] | 'replaced' | 'nothing to replace';
};

function requireSingle({ name, single }: Job): void {
  if (!single)
    throw new UsageError(`The job ${name} may run many times at once: no run stands in the way of another`, {
      nextStep: 'Submit it without --replace.',
    });
}

/** `hdfs://host/path` as a path of the file store. @throws UsageError for an address somewhere else. */
function pathOf(address: string, hdfsRoot: string): string {
  if (address.startsWith(`${hdfsRoot}/`)) return address.slice(hdfsRoot.length).replace(/\/+$/, '');
  throw new UsageError(
    `The checkpoint ${address} is not in ${hdfsRoot}, and cannot be moved aside from here`,
    {
      nextStep: 'Name another place for it with -p instead of --new-checkpoint.',
    },
  );
}

function checkpointPath(job: Job, { checkpoint }: Plan, hdfsRoot: string): string {
  if (checkpoint.kind !== 'none') return pathOf(checkpoint.address, hdfsRoot);
  throw new UsageError(`The job ${job.name} has no checkpoint`, { nextStep: 'Leave out --new-checkpoint.' });
}

function requireFit({ checkpoint, running }: Plan, newCheckpoint: boolean): void {
  if (checkpoint.kind !== 'unfit' || newCheckpoint) return;
  throw new ConfigError(
    `The checkpoint ${checkpoint.address} belongs to run ${running?.runId ?? ''}, which has another ${checkpoint.because.join(' and ')}`,
    {
      nextStep:
        'Nothing was stopped. Use --new-checkpoint: every trade that comes again is recognized by its id.',
    },
  );
}

/** Moves a checkpoint aside; named after the run that had it, so that it can be moved back. */
async function moveAside(ports: SubmitPorts, path: string, runId: string): Promise<void> {
  if ((await ports.files.stat(path)) === undefined) return;
  const aside = `${path}.until-${runId}`;
  await ports.files.rename(path, aside);
  ports.say(`the checkpoint until ${runId} is now ${aside}`);
}

/** Ends the old run; where that does not come to its end, says that nothing follows. */
async function endOld(ports: SubmitPorts, old: JobRun, options: ReplaceOptions): Promise<void> {
  ports.say(`stopping ${old.runId} at its next batch boundary`);
  const { stopTimeoutMs: timeoutMs, signal } = options;
  try {
    await stop(ports, { run: old.runId, kill: false, timeoutMs, signal });
  } catch (error) {
    ports.say(`nothing was started in the place of ${old.runId}: give the same command again`);
    throw error;
  }
}

const flagsOf = (job: Job, { supervise, parameters }: JobRun, { jobsDir }: ReplaceOptions): string[] => [
  ...(supervise === job.supervise ? [] : [supervise ? '--supervise' : '--no-supervise']),
  ...(jobsDir === undefined ? [] : ['--jobs', shellWord(jobsDir)]),
  ...Object.entries(parameters).flatMap(([name, value]) => ['-p', shellWord(`${name}=${String(value)}`)]),
];

/** The one moment at which nothing runs: an error says so, and how to bring back what ran before. */
async function startInstead(
  ports: SubmitPorts,
  job: Job,
  old: JobRun,
  options: ReplaceOptions,
): Promise<Submitted> {
  try {
    return await submit(ports, { ...options, replaces: old.runId });
  } catch (error) {
    if (!(error instanceof CryptopipeError)) throw error;
    const command = ['cryptopipe submit', old.job, ...flagsOf(job, old, options)].join(' ');
    ports.say(`run ${old.runId} was stopped to be replaced; it starts again by: ${command}`);
    throw error;
  }
}

/**
 * Puts a new run in the place of the one that lives: checks and stores everything that can be before, ends the old one
 * at a batch boundary, then submits. Where nothing lives it submits; where nothing would change it does nothing.
 *
 * Safe to call again after a crash at any step. With a new checkpoint the job reads everything again, which the counting
 * rule makes harmless.
 */
export async function replace(ports: SubmitPorts, job: Job, options: ReplaceOptions): Promise<Replaced> {
  requireSingle(job);
  const { newCheckpoint, hdfsRoot } = options;
  const planned = await plan(ports, job, options);
  const planning = { ...options, work: planned.work };
  const path = newCheckpoint ? checkpointPath(job, planned, hdfsRoot) : undefined;
  const old = planned.running;
  if (old === undefined) {
    const [last] = await ports.book.list({ job: job.name, limit: 1 });
    await prepare(ports, planning);
    if (path !== undefined) await moveAside(ports, path, last?.runId ?? options.runId);
    return submit(ports, planning);
  }
  if (planned.isSame && !newCheckpoint)
    return { run: old, outcome: 'nothing to replace', isRegistered: old.state === 'RUNNING' };
  requireFit(planned, newCheckpoint);
  await prepare(ports, planning);
  await endOld(ports, old, options);
  if (path !== undefined) await moveAside(ports, path, old.runId);
  const started = await startInstead(ports, job, old, planning);
  // Another call may have been faster: then it is its run that lives.
  return started.outcome === 'submitted' ? { ...started, outcome: 'replaced' } : started;
}
