import type { SubmissionRequest } from '../../../src/core/ports/spark.js';

/** One driver of the fake cluster. */
export interface FakeDriver {
  readonly id: string;
  readonly runId: string;
  readonly request: SubmissionRequest;
  /** org.apache.spark.deploy.master.DriverState */
  state: string;
  isPlaced: boolean;
  /** False while the worker has made no log of it, or has removed it. */
  hasLog: boolean;
  stdout: string;
  message: string | undefined;
}

/** An application that has registered with the master. */
export interface FakeApp {
  readonly id: string;
  readonly name: string;
  state: string;
}

const ended = ['FINISHED', 'FAILED', 'KILLED', 'ERROR'];

export const hasEnded = (driver: FakeDriver): boolean => ended.includes(driver.state);

const runIdOf = (args: readonly string[]): string => args[args.indexOf('--run-id') + 1] ?? '';

/**
 * What a standalone master knows and does: takes submissions, gives drivers to its one worker, forgets them in a
 * restart. It plays no job: `onLaunch` is told of every driver whose process begins.
 */
export class FakeCluster {
  /** Everything that was ever taken, the forgotten too: what a test counts. */
  readonly taken: FakeDriver[] = [];
  readonly apps: FakeApp[] = [];
  status: 'ALIVE' | 'STANDBY' | 'RECOVERING' = 'ALIVE';
  hasRoom = true;
  /** Told of every driver that was taken, before a worker has it. */
  onTake: (driver: FakeDriver) => void = () => undefined;
  onLaunch: (driver: FakeDriver) => void = () => undefined;
  private known = new Set<FakeDriver>();

  /** What the master would show now. */
  get drivers(): readonly FakeDriver[] {
    return [...this.known];
  }

  find(id: string): FakeDriver | undefined {
    return this.drivers.find((driver) => driver.id === id);
  }

  submit(request: SubmissionRequest): FakeDriver {
    const driver: FakeDriver = {
      id: `driver-20261123211500-${String(this.taken.length).padStart(4, '0')}`,
      runId: runIdOf(request.appArgs),
      request,
      state: 'SUBMITTED',
      ...{ isPlaced: false, hasLog: false, stdout: '', message: undefined },
    };
    this.taken.push(driver);
    this.known.add(driver);
    this.onTake(driver);
    if (this.hasRoom) this.place(driver);
    return driver;
  }

  /** The worker takes a driver: from here its process runs, and its launch command stands in the log. */
  place(driver: FakeDriver): void {
    Object.assign(driver, { state: 'RUNNING', isPlaced: true, hasLog: true });
    this.onLaunch(driver);
  }

  /** True where the request to end it was sent on, as Spark answers. */
  kill(id: string): boolean {
    const driver = this.find(id);
    if (driver === undefined || hasEnded(driver)) return false;
    this.end(driver, 'KILLED');
    return true;
  }

  end(driver: FakeDriver, state: 'FINISHED' | 'FAILED' | 'KILLED' | 'ERROR', message?: string): void {
    Object.assign(driver, { state, message });
  }

  /** Restarts the master without a recovery mode: the processes go on, nobody knows of them. */
  forget(): void {
    this.known = new Set();
    this.apps.splice(0);
  }
}
