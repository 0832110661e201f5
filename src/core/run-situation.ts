import { isLive, meaningOf } from './driver-state.js';
import { ageOf, type JobRun } from './ports/runs.js';
import type { MasterReport } from './ports/spark.js';
import { shortDuration } from './report.js';
import { isTooLarge, describeNeed, hasRoomFor, needOf, roomOf } from './run-room.js';
import { situations, type SituationName } from './situations.js';
import { registersItself } from './submission.js';
import { submittedAs } from './run-commands.js';

/** The job says each second that it lives; so long it may be silent while PostgreSQL is slow. */
export const heartbeatLimitMs = 15_000;
/** Until then a driver may need to start and a program to report. */
const startLimitMs = 120_000;
/** Restarts that are counted together. */
const restartWindowMs = 600_000;
/** So many short-lived starts are a crash loop; a job that counts its own gives up after as many within the window. */
const crashLoopStarts = 5;
const oftenStarts = 4;

/** What is known of a run beside its row; undefined where nobody asked. */
export interface Evidence {
  /** Spark's word for its driver; `GONE` where the master does not know it. */
  readonly driverState?: string | undefined;
  readonly master?: MasterReport | undefined;
  /** Why nobody can say yet where the run is. */
  readonly unclear?: string | undefined;
  /** Starts of its driver that follow each other and were short, where it dies without having reported. */
  readonly failedStarts?: number | undefined;
  /** How Spark failed to answer. */
  readonly silence?: string | undefined;
}

/** How a run is, told from everything else that it could be. */
export interface Situation {
  readonly name: SituationName;
  /** Of this run, with its numbers; for a person, without its id. */
  readonly sentence: string;
  readonly isHealthy: boolean;
  readonly nextStep: string | undefined;
}

type Told = readonly [name: SituationName, details?: string | undefined];

/** Judges a run; pure and total. The ages are those of the time at which its row was read. */
export function situationOf(run: JobRun, evidence: Evidence): Situation {
  const [name, details] = isLive(run.state) ? tellLive(run, evidence) : tellEnded(run);
  const { meaning, isHealthy, whatToDo } = situations[name];
  const nextStep = whatToDo.replaceAll('RUN', run.runId).replaceAll('JOB', submittedAs(run));
  return {
    name,
    sentence: details === undefined ? meaning : `${meaning} (${details})`,
    isHealthy,
    nextStep: nextStep === '' ? undefined : nextStep,
  };
}

function tellEnded(run: JobRun): Told {
  const { state, error, stopRequestedAt } = run;
  if (state === 'FINISHED') return ['finished'];
  if (state === 'LOST') return ['lost', error];
  if (state === 'KILLED') return [stopRequestedAt === undefined ? 'killed' : 'stopped', error];
  return [error?.startsWith('crash loop') === true ? 'crash loop' : 'failed', error];
}

function tellLive(run: JobRun, evidence: Evidence): Told {
  const { silence, unclear, driverState } = evidence;
  if (silence !== undefined) return ['unreachable', `${silence}; ${lastWord(run)}`];
  switch (driverState) {
    case 'RUNNING':
      return tellRunning(run, evidence);
    case 'SUBMITTED':
      return tellWaiting(run, evidence);
    case 'RELAUNCHING':
      return ['relaunching', evidence.master && roomOf(evidence.master)];
    case 'UNKNOWN':
      return ['recovering', lastWord(run)];
    case 'GONE':
      return unclear === undefined ? ['forgotten', lastWord(run)] : ['unclear', unclear];
    case undefined:
      return unclear === undefined ? ['starting'] : ['unclear', unclear];
    default:
      return meaningOf(driverState).isFinal
        ? ['worker lost', `driver ${driverState}; ${lastWord(run)}`]
        : ['starting', `driver ${driverState}`];
  }
}

function tellWaiting(run: JobRun, { master }: Evidence): Told {
  const need = needOf(run, 'driver');
  if (master === undefined || need === undefined || hasRoomFor(master, need)) return ['starting'];
  const never = isTooLarge(master, need) ? '; no worker is large enough, so it waits for ever' : '';
  return ['waiting for room', `it wants ${describeNeed(need)}; ${roomOf(master)}${never}`];
}

function tellRunning(run: JobRun, evidence: Evidence): Told {
  const { master, failedStarts = 0 } = evidence;
  const lost = lostWorkerOf(run, master);
  if (lost !== undefined) return ['worker lost', `${lost}; ${lastWord(run)}`];
  if (failedStarts >= crashLoopStarts)
    return [
      'crash loop',
      `Spark has started it ${failedStarts} times, and each time it died within a minute`,
    ];
  if (run.state !== 'RUNNING') {
    const age = ageOf(run, run.createdAt);
    return age > startLimitMs ? ['slow start', `submitted ${shortDuration(age)} ago`] : ['starting'];
  }
  if (registersItself(run) && silenceMs(run) > heartbeatLimitMs) return ['silent', lastWord(run)];
  if (run.stopRequestedAt !== undefined)
    return ['stopping', `asked ${shortDuration(ageOf(run, run.stopRequestedAt))} ago`];
  return tellWorking(run, master);
}

function tellWorking(run: JobRun, master: MasterReport | undefined): Told {
  const app = master?.apps.find(({ id }) => id === run.applicationId);
  const need = needOf(run, 'executor');
  if (master !== undefined && app?.state === 'WAITING' && need !== undefined && !hasRoomFor(master, need))
    return ['no executors', `each wants ${describeNeed(need)}; ${roomOf(master)}`];
  const recent = run.starts.filter((start) => ageOf(run, start) <= restartWindowMs).length;
  if (run.restarts === 0 || recent === 0) return ['running'];
  const details = `${times(run.restarts)}, last ${shortDuration(ageOf(run, run.starts.at(-1)))} ago; before that: ${run.lastError ?? 'no word'}`;
  return [recent >= oftenStarts ? 'restarting often' : 'started again', details];
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** The worker of a driver that the master counts among its own no longer. */
function lostWorkerOf({ submissionId }: JobRun, master: MasterReport | undefined): string | undefined {
  const workerId = master?.drivers.find(({ id }) => id === submissionId)?.workerId;
  const worker = master?.workers.find(({ id }) => id === workerId);
  return worker === undefined || worker.state === 'ALIVE' ? undefined : `${worker.id} is ${worker.state}`;
}

/** How long a registered job has not said that it lives. */
const silenceMs = (run: JobRun): number => ageOf(run, run.heartbeatAt ?? run.startedAt ?? run.createdAt);

function lastWord(run: JobRun): string {
  if (run.heartbeatAt === undefined) return 'the program has said nothing yet';
  return `the job last said ${shortDuration(Math.max(0, ageOf(run, run.heartbeatAt)))} ago that it lives`;
}
