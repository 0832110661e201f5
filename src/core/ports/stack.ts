/** The servers that a pipeline cannot do without, in the order in which a person would name them. */
export const coreServers = [
  'postgres',
  'kafka',
  'name-node',
  'secondary-name-node',
  'data-node',
  'spark-master',
  'spark-worker',
] as const;

/** Those that start only when they are named. */
export const optionalServers = ['airflow'] as const;

/** All servers of the native stack. */
export const serverNames = [...coreServers, ...optionalServers] as const;

export type OptionalServer = (typeof optionalServers)[number];
export type ServerName = (typeof serverNames)[number];

/** How often a background command crashed since somebody started it, and what was done about it last. */
export interface ProcessRestarts {
  readonly count: number;
  /** Of the last crash: `exit code 1`, `signal SIGKILL`. */
  readonly cause: string;
  /** When it was started again, ISO 8601; in the future while it waits for that. */
  readonly at: string;
}

/** One process that cryptopipe started: a server, or a command of its own in the background. */
export interface ProcessReport {
  readonly name: string;
  readonly kind: 'server' | 'background';
  /** `died`: it was started and not stopped, and is not there any more. `unhealthy`: a container that
   *  does not answer, or a background command that crashed and waits to be started again. */
  readonly state: 'running' | 'unhealthy' | 'died' | 'stopped';
  /** Of a background command: its supervisor's, which stays when the command is started again. */
  readonly pid: number | undefined;
  readonly startedAt: string | undefined;
  readonly version: string | undefined;
  readonly ports: Readonly<Record<string, number>>;
  /** With all children; shared memory is divided among those who share it, where the system says so. */
  readonly memoryBytes: number | undefined;
  /** Empty where Docker keeps the log. */
  readonly logPath: string;
  readonly restarts?: ProcessRestarts | undefined;
}

/** What the downloads gave: what a job needs to know to run on this stack. */
export interface Installation {
  readonly sparkHome: string;
  /** Python of the virtual environment that holds pyspark and psycopg. */
  readonly python: string;
  /** Jars that a job needs beside Spark's own: the Kafka connector and the JDBC driver. */
  readonly sparkJars: readonly string[];
}

/** How a long step tells what it does; one line each, for stderr. */
export type Say = (line: string) => void;

export interface StackCall {
  readonly say: Say;
  readonly signal: AbortSignal;
  /** These servers and what they depend on; the core servers where nothing is named. */
  readonly only?: readonly ServerName[] | undefined;
  /** These beside them. */
  readonly with?: readonly OptionalServer[] | undefined;
}

/** The real servers, as processes of this computer or as containers of Docker. */
export interface Stack {
  /** Downloads and prepares what is missing. @throws ConfigError when a prerequisite is missing. */
  install(call: StackCall): Promise<void>;
  /**
   * Starts what does not run, and returns when each server has answered a real call. Where one fails or `signal` aborts,
   * everything that this call had started is stopped again.
   * @throws ConfigError for a taken port, a full disk, or data that are not where they were; UnreachableError (with the end
   * of the log) for a server that does not come up.
   */
  up(call: StackCall): Promise<ProcessReport[]>;
  /** Stops everything, own background processes first; returns the names of what was stopped. */
  down(call: Pick<StackCall, 'say'>): Promise<string[]>;
  status(): Promise<ProcessReport[]>;
  /** The last `lines` lines of a log. @throws UsageError for a name that nobody has. */
  logTail(name: string, lines: number): Promise<string>;
}
