/**
 * True when a call failed before a byte of it reached the server: no name was found or no connection was made. Decided by
 * the system call, not by the code: a network that goes away can give EHOSTUNREACH on a connection that has sent already.
 */
export function wasNeverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { syscall, errors } = error as { syscall?: unknown; errors?: unknown };
  // A name with two addresses fails with one error for each of them.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(wasNeverSent);
  return syscall === 'connect' || syscall === 'getaddrinfo' || wasNeverSent(error.cause);
}

/** Why a call failed, in few words: the code of the system error, else its message. */
export function failureReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && !code.startsWith('ABORT') ? code : error.message;
}
