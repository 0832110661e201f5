import type { ShownRun } from '../../core/dashboard.js';
import { isLive } from '../../core/driver-state.js';
import { ageOf, type JobRun } from '../../core/ports/runs.js';
import { firstLine } from '../../core/report.js';
import { situationOf } from '../../core/run-situation.js';

/** A run as its row alone tells it; Spark is not asked, so the heartbeat has to stand for a living driver. */
export function shownRun(run: JobRun): ShownRun {
  const isAlive = isLive(run.state);
  const { name, isHealthy } = situationOf(run, run.state === 'RUNNING' ? { driverState: 'RUNNING' } : {});
  const began = run.startedAt ?? run.createdAt;
  return {
    runId: run.runId,
    job: run.job,
    state: run.state,
    situation: name,
    isHealthy,
    durationMs: Math.max(0, ageOf(run, began) - (run.endedAt === undefined ? 0 : ageOf(run, run.endedAt))),
    silentMs: isAlive && run.heartbeatAt !== undefined ? Math.max(0, ageOf(run, run.heartbeatAt)) : undefined,
    error: run.error === undefined ? undefined : firstLine(run.error).slice(0, 200),
  };
}
