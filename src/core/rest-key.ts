/**
 * The key that Spark's REST server and cryptopipe share (`spark.ui.JWSFilter`): 32 random bytes or more in base64url, the
 * same text as in `spark.org.apache.spark.ui.JWSFilter.param.secretKey`.
 */
export const restKeyPattern = /^[A-Za-z0-9_-]{43,}={0,2}$/;

/** Where `stack install` and `stack up` put the key of the native stack; its owner alone may read it. */
export const restKeyFileOf = (dataDir: string): string => `${dataDir}/spark-rest.key`;

/** Where `stack up --docker` puts its copy of the key that the stack in Docker made for itself. */
export const dockerRestKeyFileOf = (dataDir: string): string => `${dataDir}/docker/spark-rest.key`;

/**
 * True where no call to this address leaves the computer. By the host's name alone: a name that only resolves to a
 * loopback address does not count, since a resolver's answer may change.
 */
export function isLoopback(address: string): boolean {
  const { hostname } = new URL(address);
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
