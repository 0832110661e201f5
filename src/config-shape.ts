import type { Environment } from './config-sources.js';
import type { KnownSecret } from './core/secrets.js';
import type { Ports } from './core/settings.js';

export interface PostgresTls {
  readonly mode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  readonly rootCertificate: string | undefined;
}

/** Everything that is set from outside, checked; frozen. Paths are absolute, URLs have no trailing slash. */
export interface Config {
  readonly stack: 'native' | 'docker';
  /** What child processes inherit: PATH, JAVA_HOME, pip's own settings. */
  readonly environment: Environment;
  /** Every secret that was set, for those who see that it goes nowhere. */
  readonly secrets: readonly KnownSecret[];
  /** What is not as it should be and keeps nothing from working, a line each. */
  readonly warnings: readonly string[];
  readonly symbols: readonly string[];
  /** False where `symbols` is the default. */
  readonly areSymbolsSet: boolean;
  readonly pollIntervalMs: number;
  readonly exchangeUrl: string;
  /** An http(s) address, or the `file:` URL of a folder with the same tree. */
  readonly archiveUrl: string;
  /** `ws://` or `wss://`, without a path. */
  readonly streamUrl: string;
  readonly kafka: {
    readonly brokers: readonly string[];
    readonly clusterBrokers: string;
    readonly topic: string;
    readonly cursorTopic: string;
    readonly clientId: string;
  };
  readonly hdfs: {
    readonly webUrl: string;
    readonly user: string;
    /** False where `user` is the default. */
    readonly isUserSet: boolean;
    /** `hdfs://host:port`, as the jobs see it. */
    readonly root: string;
    readonly rawPath: string;
    readonly cleanPath: string;
    readonly rejectedPath: string;
  };
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
    readonly password: string;
    /** Of the role `crypto_reader`; undefined where it is not to log in. */
    readonly readerPassword: string | undefined;
    readonly jdbcUrl: string;
    /** How the command line connects. */
    readonly tls: PostgresTls;
    /** How the jobs connect: their certificates are files on the workers. Undefined leaves it to libpq. */
    readonly jobTls: { readonly mode: string | undefined; readonly rootCertificate: string | undefined };
    readonly cleanTable: string;
    readonly barTable: string;
  };
  readonly spark: {
    readonly restUrl: string;
    readonly restKey: string | undefined;
    /** Holds the key where none is set; undefined where the REST server is not the stack's own. */
    readonly restKeyFile: string | undefined;
    readonly uiUrl: string;
    readonly masterUrl: string;
    /** Undefined means: the native stack's own, which only the stack knows. */
    readonly jars: readonly string[] | undefined;
    readonly python: string | undefined;
  };
  /** A folder of the user's own jobs. */
  readonly jobsDir: string | undefined;
  /** A program that the DAGs call when a task has failed. */
  readonly alarmCommand: string | undefined;
  readonly native: {
    readonly portOffset: number;
    readonly ports: Ports;
    readonly dataDir: string;
    readonly cacheDir: string;
    readonly mavenUrl: string;
    readonly postgresBin: string | undefined;
    readonly python: string;
  };
}

/** Flags that stand above the environment; undefined means not given. */
export interface ConfigFlags {
  /** True picks the stack in Docker. */
  readonly docker?: boolean | undefined;
  readonly portOffset?: string | undefined;
  readonly dataDir?: string | undefined;
  /** A folder of the user's own jobs. */
  readonly jobs?: string | undefined;
  readonly exchange?: string | undefined;
  /** An address or a folder. */
  readonly archive?: string | undefined;
  readonly symbols?: string | undefined;
  /** Milliseconds between two polls. */
  readonly interval?: string | undefined;
}
