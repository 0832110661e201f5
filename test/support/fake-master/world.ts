import { createSparkCluster } from '../../../src/adapters/spark-cluster.js';
import type { SubmitPorts } from '../../../src/commands/submit.js';
import { isLive } from '../../../src/core/driver-state.js';
import type { JobRun } from '../../../src/core/ports/runs.js';
import { SubmissionWorld } from '../submission-world.js';
import { hasEnded, type FakeDriver } from './cluster.js';
import { startFakeMaster, type FakeMaster } from './server.js';

/** As long as a call may take here; a test waits for it where an answer never comes. */
const timeoutMs = 600;
/** After so long a driver registers its run, as the shipped jobs do first of all. */
const registersAfterMs = 2000;

/**
 * A submission through the real adapters to a fake master over HTTP; clock, book of runs and files are in memory. Drivers
 * play the job: they register their run, and end where it is not live.
 */
export class MasterWorld {
  readonly memory = new SubmissionWorld();
  readonly ports: SubmitPorts;
  private readonly launchedAt = new Map<FakeDriver, number>();

  private constructor(readonly master: FakeMaster) {
    const spark = createSparkCluster({ restUrl: master.url, uiUrl: master.url, timeoutMs });
    this.ports = { ...this.memory.ports, spark };
    master.cluster.onLaunch = (driver) => this.launchedAt.set(driver, this.memory.clock.now());
    this.memory.clock.onSleep.push(() => this.playJobs());
  }

  static async start(): Promise<MasterWorld> {
    return new MasterWorld(await startFakeMaster());
  }

  get rows(): readonly JobRun[] {
    return [...this.memory.book.rows.values()];
  }

  get liveDrivers(): readonly FakeDriver[] {
    return this.master.cluster.taken.filter((driver) => !hasEnded(driver));
  }

  /** Run ids of all submissions that reached the master whole. */
  get postedRunIds(): readonly string[] {
    return this.master.posted.map((body) => /"--run-id","([^"]*)"/.exec(body)?.[1] ?? '');
  }

  /** Takes what was posted once without an effect: a request that lay somewhere on its way. */
  takeLate(body: string): void {
    this.master.cluster.submit(JSON.parse(body) as FakeDriver['request']);
  }

  private playJobs(): void {
    const now = this.memory.clock.now();
    for (const driver of this.master.cluster.taken)
      if (driver.state === 'RUNNING' && now - (this.launchedAt.get(driver) ?? now) >= registersAfterMs)
        this.playJob(driver, new Date(now));
  }

  /** Registers, then says at each look that it lives; ends where its run does, or where a stop is asked for. */
  private playJob(driver: FakeDriver, heartbeatAt: Date): void {
    const row = this.memory.book.rows.get(driver.runId);
    const isOurs = row?.submissionId === undefined || row.submissionId === driver.id;
    if (row === undefined || !isLive(row.state) || !isOurs) {
      this.master.cluster.end(driver, 'FAILED');
    } else if (row.stopRequestedAt !== undefined) {
      this.memory.book.change(driver.runId, { state: 'FINISHED' });
      this.master.cluster.end(driver, 'FINISHED');
    } else {
      this.memory.book.change(driver.runId, { state: 'RUNNING', submissionId: driver.id, heartbeatAt });
    }
  }
}
