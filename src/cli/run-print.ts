import type { RunDetails } from '../commands/runs.js';
import { ageOf } from '../core/ports/runs.js';
import { registersItself } from '../core/submission.js';
import { shortDuration } from '../core/report.js';
import type { Io } from './io.js';
import { shortTime } from './times.js';

type Line = readonly [label: string, value: string | undefined];

const ago = (ms: number): string => `${shortDuration(Math.max(0, ms))} ago`;

function timeLines({ run }: RunDetails): Line[] {
  const { heartbeatAt, stopRequestedAt, submittedBy, restarts, starts, supervise, lastError } = run;
  // Only a job of ours counts its starts, and says when it ends; of a driver that has ended Spark keeps no time.
  const isOurs = registersItself(run);
  const restarted = isOurs
    ? `${restarts} times${restarts === 0 ? '' : `, last ${shortTime(starts.at(-1))}`}`
    : 'as often as its log shows';
  return [
    ['submitted', `${shortTime(run.createdAt)}${submittedBy === undefined ? '' : ` by ${submittedBy}`}`],
    ['started', shortTime(run.startedAt)],
    ['says it lives', heartbeatAt && `${shortTime(heartbeatAt)}, ${ago(ageOf(run, heartbeatAt))}`],
    ['stop asked for', shortTime(stopRequestedAt)],
    [isOurs ? 'ended' : 'seen ended', shortTime(run.endedAt)],
    ['supervised', supervise ? `yes; started again ${restarted}` : 'no'],
    [run.brokeOff ? 'died of' : 'died before of', lastError],
  ];
}

function workLines({ run, batches }: RunDetails): Line[] {
  return [
    ['progress', run.progress && JSON.stringify(run.progress)],
    ['result', run.result && JSON.stringify(run.result)],
    ...batches.map((batch): Line => {
      const age =
        batch.tradeAgeMs === undefined
          ? ''
          : `, newest trade ${shortDuration(Math.max(0, batch.tradeAgeMs))} old`;
      const counts = `${batch.counted} counted, ${batch.repeated} repeated, ${batch.conflicted} conflicted, ${batch.rejected} rejected`;
      return [`last ${batch.query} batch`, `${batch.batchId}, ${ago(batch.agoMs)}: ${counts}${age}`];
    }),
  ];
}

function placeLines({ run }: RunDetails): Line[] {
  return [
    [
      'driver',
      run.submissionId && `${run.submissionId}${run.driverState === undefined ? '' : ` ${run.driverState}`}`,
    ],
    ['application', run.applicationId && `${run.applicationId} (${run.appName})`],
    ["Spark's page", run.uiUrl],
    ['program', run.jobPath],
    ['sha256', run.templateSha256],
    ['replaces', run.replaces],
    ...Object.entries(run.parameters).map(([name, value]): Line => [
      'parameter',
      `${name} = ${String(value)}`,
    ]),
  ];
}

/** That Spark did not answer, or did not take our key, and what to do about it. */
export function printSilence(io: Io, unreachable: RunDetails['unreachable']): void {
  if (unreachable === undefined) return;
  io.err(`Shown is what is written down: ${unreachable.message}\n`);
  if (unreachable.nextStep !== undefined) io.err(`${unreachable.nextStep}\n`);
}

/** Everything about a run for a person; what is not known has no line. */
export function printRun(io: Io, details: RunDetails): void {
  const { run, unreachable } = details;
  const { name, sentence, nextStep } = run.situation;
  const lines: Line[] = [
    ['run', `${run.runId} of ${run.job}`],
    ['state', run.state],
    ['how it is', `${name}: ${sentence}`],
    ['next', nextStep],
    ['error', run.error],
    ...timeLines(details),
    ...workLines(details),
    ...placeLines(details),
  ];
  for (const [label, value] of lines)
    if (value !== undefined && value !== '')
      io.out(`${label.padEnd(16)}${value.replaceAll('\n', `\n${' '.repeat(16)}`)}\n`);
  printSilence(io, unreachable);
}
