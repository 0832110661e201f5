import { inheritedEnvironment } from '../core/inherited-environment.js';
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

/**
 * The environment of a server: what every program needs and nothing else, since a stray SPARK_ or HADOOP_ variable of
 * the caller would change the servers, and a secret of the caller would end in every driver.
 */
export const serverEnvironment = (
  settings: Pick<StackSettings, 'environment'>,
  own: Readonly<Record<string, string>> = {},
): Record<string, string> => ({ ...inheritedEnvironment(settings.environment), ...own });
