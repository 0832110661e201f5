import type { App } from '../compose.js';
import type { Config } from '../config.js';
import type { Io } from './io.js';

export interface AppUse {
  readonly isPatient: boolean;
  readonly outages?: (line: string) => void;
}

/** What a command of the command line gets: streams, the configuration on first use, and the app built from it. */
export interface CliContext {
  readonly io: Io;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly config: () => Promise<Config>;
  /**
   * Built by the first call, whose options count. `isPatient`: HDFS, PostgreSQL and Spark are tried again for a bounded time,
   * for commands that do something; what shows a state shows at once that a server is away. `outages` prints those outages
   * that it waits out; without it they are lines on stderr.
   */
  readonly app: (options?: AppUse) => Promise<App>;
  /** The exit code of a command that ended well but found something that is not; 0 where nobody says anything. */
  readonly setExitCode: (code: 0 | 2 | 3 | 4 | 5 | 130) => void;
}
