import { isLive, meaningOf } from '../../src/core/driver-state.js';
import { RefusedError, UnreachableError } from '../../src/core/errors.js';
import type { Clock } from '../../src/core/ports/clock.js';
import type {
  DriverReport,
  LogStream,
  MasterReport,
  SparkCluster,
  SubmissionRequest,
} from '../../src/core/ports/spark.js';
import type { MemoryRuns } from './memory-runs.js';

interface FakeDriver {
  readonly id: string;
  state: string;
  /** What it was started with. */
  readonly args: readonly string[];
  readonly createdAt: number;
  isPlaced: boolean;
  /** True where Spark starts it again elsewhere when its worker is lost. */
  isSupervised?: boolean;
  stdout: string;
  stderr: string;
}

/** A standalone cluster in memory: it starts what is posted, and each driver registers itself in the book of runs. */
export class FakeSpark implements SparkCluster {
  readonly drivers: FakeDriver[] = [];
  readonly posts: SubmissionRequest[] = [];
  status = 'ALIVE';
  hasRoom = true;
  workerState = 'ALIVE';
  readonly apps: MasterReport['apps'][number][] = [];
  isDown = false;
  /** After so long a driver registers its run. */
  registersAfterMs = 2000;
  /** What the next POST does beside, or instead of, its work. */
  onCreate: 'answer' | 'refuse' | 'start and time out' | 'time out' = 'answer';

  constructor(
    private readonly clock: Clock,
    private readonly book: MemoryRuns,
  ) {}

  /** Its one worker is gone: supervised drivers are started again under another id, the others end. */
  loseWorker(): void {
    this.hasRoom = false;
    for (const driver of this.drivers.filter(({ state }) => state === 'RUNNING')) {
      driver.state = driver.isSupervised === true ? 'RELAUNCHING' : 'ERROR';
      if (driver.isSupervised === true) this.add({ args: driver.args, isSupervised: true });
    }
  }

  /** What happened in the cluster since the last look; call it as time passes. */
  tick(): void {
    for (const driver of this.drivers) {
      if (driver.state === 'SUBMITTED' && this.hasRoom) this.place(driver);
      if (driver.state !== 'RUNNING') continue;
      if (this.clock.now() - driver.createdAt >= this.registersAfterMs) this.register(driver);
      this.stopWhereAsked(driver);
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws must arrive as a rejection
  async create(request: SubmissionRequest): Promise<string> {
    this.requireUp();
    if (this.onCreate === 'refuse') throw new RefusedError('Spark refused the submission: no');
    if (this.onCreate === 'time out') throw new UnreachableError('no answer within 10000 ms');
    this.posts.push(request);
    const isSupervised = request.sparkProperties['spark.driver.supervise'] === 'true';
    const driver = this.add({
      args: [`-Dspark.app.name=${request.sparkProperties['spark.app.name'] ?? ''}`, ...request.appArgs],
      isSupervised,
    });
    if (this.hasRoom) this.place(driver);
    if (this.onCreate === 'start and time out') throw new UnreachableError('no answer within 10000 ms');
    return driver.id;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async driver(submissionId: string): Promise<DriverReport> {
    this.requireUp();
    const driver = this.find(submissionId);
    return {
      submissionId,
      driverState: driver?.state,
      workerId: driver?.isPlaced === true ? 'worker-1' : undefined,
      workerHostPort: undefined,
      message: undefined,
    };
  }

  kill(submissionId: string): Promise<boolean> {
    const driver = this.find(submissionId);
    // One that was given up with its worker has ended for the master, which starts another.
    if (driver === undefined || driver.state === 'RELAUNCHING' || meaningOf(driver.state).isFinal)
      return Promise.resolve(false);
    driver.state = 'KILLED';
    return Promise.resolve(true);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async master(): Promise<MasterReport> {
    this.requireUp();
    return {
      status: this.status,
      url: 'spark://127.0.0.1:7077',
      workers: [
        {
          id: 'worker-1',
          state: this.workerState,
          webUiAddress: 'http://localhost:8081',
          cores: 4,
          coresFree: this.hasRoom ? 4 : 0,
          memoryMb: 4096,
          memoryFreeMb: 2048,
        },
      ],
      drivers: this.drivers.map(({ id, state, isPlaced }) => ({
        id,
        state,
        workerId: isPlaced ? 'worker-1' : undefined,
      })),
      apps: this.apps,
    };
  }

  isReady(): Promise<boolean> {
    return Promise.resolve(!this.isDown);
  }

  launchCommand(submissionId: string): Promise<string | undefined> {
    const driver = this.find(submissionId);
    return Promise.resolve(driver?.isPlaced === true ? driver.args.join(' ') : undefined);
  }

  driverLog(submissionId: string, stream: LogStream): Promise<string> {
    const driver = this.find(submissionId);
    return driver === undefined
      ? Promise.reject(new UnreachableError(`No worker has ${submissionId}`))
      : Promise.resolve(driver[stream]);
  }

  private add(values: Pick<FakeDriver, 'args' | 'isSupervised'>): FakeDriver {
    const driver: FakeDriver = {
      id: `driver-20261123211500-${String(this.drivers.length).padStart(4, '0')}`,
      state: 'SUBMITTED',
      createdAt: this.clock.now(),
      isPlaced: false,
      stdout: '',
      stderr: '',
      ...values,
    };
    this.drivers.push(driver);
    return driver;
  }

  private find(submissionId: string): FakeDriver | undefined {
    return this.drivers.find((driver) => driver.id === submissionId);
  }

  private place(driver: FakeDriver): void {
    driver.state = 'RUNNING';
    driver.isPlaced = true;
  }

  private runIdOf(driver: FakeDriver): string {
    return driver.args[driver.args.indexOf('--run-id') + 1] ?? '';
  }

  /** As the job does: it refuses to work for a run that is not live. */
  private register(driver: FakeDriver): void {
    const runId = this.runIdOf(driver);
    const state = this.book.rows.get(runId)?.state;
    if (state === undefined || !isLive(state)) driver.state = 'FAILED';
    else this.book.change(runId, { state: 'RUNNING', submissionId: driver.id });
  }

  private stopWhereAsked(driver: FakeDriver): void {
    const row = this.book.rows.get(this.runIdOf(driver));
    if (row?.state !== 'RUNNING' || row.stopRequestedAt === undefined) return;
    this.book.change(row.runId, { state: 'FINISHED' });
    driver.state = 'FINISHED';
  }

  private requireUp(): void {
    if (this.isDown) throw new UnreachableError("Spark's REST server did not answer: ECONNREFUSED");
  }
}
