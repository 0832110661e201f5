import { isLive } from '../core/driver-state.js';
import { UnreachableError, UsageError } from '../core/errors.js';
import type { JobRun } from '../core/ports/runs.js';
import type { LogStream } from '../core/ports/spark.js';
import type { LogOwner, LogPlace } from '../core/ports/worker-logs.js';
import { findSources, type LogChoice } from './logs/log-sources.js';
import { followLogs, type Followed, type FollowOptions, type FollowPorts } from './logs/follow-logs.js';
import { LogTail, type LineCount } from './logs/log-tail.js';
import { readTellingEnd } from './reconcile.js';

/** One stream of one process of a run. */
export interface StreamLog {
  readonly owner: LogOwner;
  readonly stream: LogStream;
  readonly text: string;
}

export interface RunLog {
  readonly run: JobRun;
  readonly streams: readonly StreamLog[];
  /** Why something that was asked for is not shown. */
  readonly missing: readonly string[];
}

function requireDriver(run: JobRun): JobRun & { readonly submissionId: string } {
  const { submissionId, runId, state, error } = run;
  if (submissionId !== undefined) return { ...run, submissionId };
  throw new UsageError(
    `Run ${runId} is ${state} and has no driver, so it has no log${error === undefined ? '' : `: ${error}`}`,
    {
      nextStep: isLive(state)
        ? `Wait for it with \`cryptopipe logs ${runId} --follow\`.`
        : 'See it with `cryptopipe runs`.',
    },
  );
}

async function readAll(ports: FollowPorts, place: LogPlace, begin: LineCount): Promise<StreamLog> {
  const { owner, stream } = place;
  const tail = new LogTail((from, byteLength) => ports.workerLogs.page(place, { from, byteLength }), begin);
  const lines: string[] = [];
  for (;;) {
    const read = await tail.read();
    lines.push(...read.lines);
    if (read.isAtEnd) break;
  }
  const all = [...lines, ...tail.rest()];
  return {
    owner,
    stream,
    text: (begin === 'all' ? all : all.slice(Math.max(0, all.length - begin))).join('\n'),
  };
}

/**
 * The last lines of a run's output as it is now, each stream by itself.
 * @throws UsageError for a run without a driver, UnreachableError where nothing of what was asked can be read.
 */
export async function readLogs(
  ports: FollowPorts,
  run: JobRun,
  options: LogChoice & { readonly begin: LineCount },
): Promise<RunLog> {
  const sources = await findSources(ports, requireDriver(run), options, await ports.spark.master());
  const read = await Promise.allSettled(sources.places.map((place) => readAll(ports, place, options.begin)));
  const streams = read.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
  const failures = read.filter((one) => one.status === 'rejected').map(({ reason }) => reason as Error);
  const bug = failures.find((error) => !(error instanceof UnreachableError));
  if (bug !== undefined) throw bug;
  const missing = [...new Set([...sources.missing, ...failures.map(({ message }) => message)])];
  if (streams.length > 0) return { run, streams, missing };
  throw new UnreachableError(`Run ${run.runId} has no log that can be read: ${missing.join('; ')}`, {
    nextStep: isLive(run.state)
      ? `Wait for it with \`cryptopipe logs ${run.runId} --follow\`.`
      : 'Look at `cryptopipe status`; workers delete logs seven days after the end.',
  });
}

/** Follows a run's output to its end; waits for a driver where it has none yet. @throws UsageError where it never had one. */
export async function follow(ports: FollowPorts, run: JobRun, options: FollowOptions): Promise<Followed> {
  if (!isLive(run.state)) requireDriver(run);
  return followLogs(ports, run, options);
}

/** The part of a failed run's log that shows why; empty for every other run, and where the log cannot be had. */
export async function readFailure(ports: FollowPorts, run: JobRun): Promise<string> {
  if (run.state !== 'FAILED' || run.submissionId === undefined) return '';
  try {
    return await readTellingEnd(ports.spark, run.submissionId);
  } catch (error) {
    if (error instanceof UnreachableError) return '';
    throw error;
  }
}
