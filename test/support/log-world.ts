import { follow } from '../../src/commands/logs.js';
import type { Followed, FollowOptions } from '../../src/commands/logs/follow-logs.js';
import { submit } from '../../src/commands/submit.js';
import type { JobRun } from '../../src/core/ports/runs.js';
import { SubmissionWorld } from './submission-world.js';
import { FakeWorkerLogs } from './worker-log.js';

/** A cluster in memory whose worker keeps logs, and what a follower of them is told. */
export class LogWorld extends SubmissionWorld {
  readonly workerLogs = new FakeWorkerLogs();
  readonly lines: string[] = [];
  readonly notices: string[] = [];
  readonly stop = new AbortController();

  get logPorts() {
    const { clock, book, spark, workerLogs } = this;
    return { clock, book, spark, workerLogs };
  }

  /** A run whose driver works, with nothing in its logs yet. */
  async running(): Promise<{ run: JobRun; id: string }> {
    const { run } = await submit(this.ports, this.options());
    const id = run.submissionId ?? '';
    this.spark.registersAfterMs = Infinity;
    for (const stream of ['stdout', 'stderr']) this.workerLogs.log(`${id} ${stream}`);
    return { run, id };
  }

  /** Calls each of these once, when so many milliseconds have gone by. */
  after(steps: Readonly<Record<number, () => void>>): void {
    const begun = this.clock.now();
    const left = new Map(Object.entries(steps).map(([ms, step]) => [begun + Number(ms), step]));
    this.clock.onSleep.push(() => {
      for (const [at, step] of left) if (this.clock.now() >= at && left.delete(at)) step();
    });
  }

  followed(run: JobRun, values: Partial<FollowOptions> = {}): Promise<Followed> {
    return follow(this.logPorts, run, {
      ...{ of: 'driver', streams: ['stdout'], begin: 'all', signal: this.stop.signal },
      onLine: ({ owner, stream, line }) => {
        const whose = owner.kind === 'driver' ? owner.submissionId : `executor ${owner.executorId}`;
        this.lines.push(`${whose} ${stream}: ${line}`);
      },
      say: (text) => this.notices.push(text),
      ...values,
    });
  }
}
