/** How calls to Spark's REST server are signed. */
export interface RestAccess {
  /** Asked for each call: a token lives a minute, and the native stack's key may be made while this process runs. */
  readonly token: () => string | undefined;
  /** Where the native stack's key lies, for a message. */
  readonly keyFile: string | undefined;
}

/** Not at all. */
export const openAccess: RestAccess = { token: () => undefined, keyFile: undefined };

/** What to do about a 403, by whether the call carried a token: Spark says no more than that it refuses. */
export function nextStepOfForbidden(wasSigned: boolean, { keyFile }: RestAccess): string {
  const place = keyFile === undefined ? '' : ` (the native stack's own lies in ${keyFile})`;
  const key = `SPARK_REST_KEY or SPARK_REST_KEY_FILE to the key with which that master was started${place}`;
  return wasSigned
    ? `It does not take our token: set ${key}, and see that both clocks agree to the minute.`
    : `It wants a token: set ${key}.`;
}
