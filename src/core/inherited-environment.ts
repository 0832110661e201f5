/** What every program needs of its caller's environment. */
const always = /^(PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR|JAVA_HOME|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH)$/;

/**
 * The part of the environment that a program gets: what every program needs, and what its own settings are. Nothing else,
 * since it may hold secrets and settings of other programs.
 */
export function inheritedEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  own?: RegExp,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && (always.test(entry[0]) || own?.test(entry[0]) === true),
    ),
  );
}
