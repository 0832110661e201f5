import type { Ports } from '../core/settings.js';

/** What the stack needs of the configuration; `environment` is what PATH, JAVA_HOME and pip's settings are taken from. */
export interface StackSettings {
  readonly ports: Ports;
  readonly portOffset: number;
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly mavenUrl: string;
  readonly postgresBin: string | undefined;
  readonly python: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly postgres: { readonly user: string; readonly password: string; readonly database: string };
  readonly hdfsUser: string;
  readonly sparkRest: {
    /** Set by hand; undefined means the one that the stack makes for itself. */
    readonly key: string | undefined;
    /** A token for one call, once there is a key. */
    readonly token: () => string | undefined;
  };
  /** What commands need that others run for this stack: the configuration as it was read, without secrets, and those. */
  readonly tasks: {
    readonly environment: Readonly<Record<string, string>>;
    readonly secrets: readonly { readonly name: string; readonly value: string }[];
  };
  /** The file of this very program, which Node runs for its background processes. */
  readonly program: string;
  /** The file that Node runs to supervise one of them. */
  readonly supervisor: string;
}

const inherited =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR|JAVA_HOME|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH)$/;

/**
 * The environment of a server: what every program needs and nothing else, since a stray SPARK_ or HADOOP_ variable of
 * the caller would change the servers, and a secret of the caller would end in every driver.
 */
export function serverEnvironment(
  settings: StackSettings,
  own: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const kept = Object.entries(settings.environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && inherited.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), ...own };
}
