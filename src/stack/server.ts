import type { ServerName } from '../core/ports/stack.js';

/** One program to run, detached. `uid` and `gid` are set where it must not run as root. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
}

/** A line of a server's log that is the reason of its end, and what a person has to do then. */
export interface KnownEnd {
  readonly line: RegExp;
  readonly nextStep: string;
}

/** One server of the stack: what it needs, how it starts, when it is ready, how it ends. */
export interface Server {
  readonly name: ServerName;
  readonly version: string;
  /** By name, so that a message can say which port is taken for what. */
  readonly ports: Readonly<Record<string, number>>;
  /**
   * The file that it writes its log to and rolls by itself, or a folder of such files; undefined where its output is its
   * log.
   */
  readonly logPath?: string;
  /** Writes configuration, formats storage where there is none, and says what to run. */
  prepare(signal: AbortSignal): Promise<Command>;
  /** One real call; rejects while the server is not ready. An error that no later try can change ends the waiting. */
  checkReady(signal: AbortSignal): Promise<void>;
  /**
   * How far its start is, in words that change with each step; undefined where it reports nothing.
   * @param log the end of its log
   */
  readonly progress?: (signal: AbortSignal, log: string) => Promise<string | undefined> | string | undefined;
  /** How long it may take to be ready without reporting any progress. */
  readonly readyTimeoutMs: number;
  readonly knownEnds?: readonly KnownEnd[];
  /** Said when it is ready, where a person has to know more than the ports. */
  readonly hint?: string;
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  /** How long it may take to end by itself before it is killed. */
  readonly stopTimeoutMs: number;
}
