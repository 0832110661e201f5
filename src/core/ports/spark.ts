/** The body of a CreateSubmissionRequest (Spark's REST submission protocol v1). */
export interface SubmissionRequest {
  readonly action: 'CreateSubmissionRequest';
  readonly clientSparkVersion: string;
  readonly mainClass: string;
  readonly appResource: string;
  readonly appArgs: readonly string[];
  readonly sparkProperties: Readonly<Record<string, string>>;
  readonly environmentVariables: Readonly<Record<string, string>>;
}

export interface DriverReport {
  readonly submissionId: string;
  /** Spark's own word (SUBMITTED, RUNNING, …), or undefined when the master does not know the id. */
  readonly driverState: string | undefined;
  readonly workerId: string | undefined;
  readonly workerHostPort: string | undefined;
  readonly message: string | undefined;
}

export interface MasterWorker {
  readonly id: string;
  readonly state: string;
  readonly webUiAddress: string;
  readonly cores: number;
  readonly coresFree: number;
  readonly memoryMb: number;
  readonly memoryFreeMb: number;
}

interface MasterDriver {
  readonly id: string;
  readonly state: string;
  readonly workerId: string | undefined;
}

interface MasterApp {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  /** Those of its executors: none while it waits for room. */
  readonly cores: number;
  /** How long it is there, by the master's clock. */
  readonly durationMs?: number;
  /** The master's page of it, with the way to its own pages while it lives and to its logs afterwards. */
  readonly pageUrl?: string;
}

/** What `/json/` of the master says; active and completed in one list each. */
export interface MasterReport {
  readonly status: string;
  readonly url: string;
  readonly workers: readonly MasterWorker[];
  readonly drivers: readonly MasterDriver[];
  readonly apps: readonly MasterApp[];
}

export type LogStream = 'stdout' | 'stderr';

/** A Spark standalone cluster through its REST server, its `/json/` and its workers' log pages. */
export interface SparkCluster {
  /**
   * Posts once, never retries by itself; returns the submission id that Spark gave.
   * @throws RefusedError when Spark surely started nothing; another UnreachableError when nobody knows whether it did.
   */
  create(request: SubmissionRequest, signal?: AbortSignal): Promise<string>;
  driver(submissionId: string, signal?: AbortSignal): Promise<DriverReport>;
  /** Asks for the end of a driver; true when the master sent the request on. */
  kill(submissionId: string, signal?: AbortSignal): Promise<boolean>;
  master(signal?: AbortSignal): Promise<MasterReport>;
  /** True when the REST server says that it takes submissions. */
  isReady(signal?: AbortSignal): Promise<boolean>;
  /** The command line that the worker started a driver with; undefined while no worker has, or the log is gone. */
  launchCommand(submissionId: string, signal?: AbortSignal): Promise<string | undefined>;
  /** The last `byteLength` bytes of a driver's log, through the page of its worker. */
  driverLog(
    submissionId: string,
    stream: LogStream,
    byteLength: number,
    signal?: AbortSignal,
  ): Promise<string>;
}
