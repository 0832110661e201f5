const firstDelayMs = 250;
const longestDelayMs = 15_000;

/**
 * Milliseconds to wait before try `attempt` + 1 (attempts count from 0): doubling from a quarter second to 15 s, of which the
 * upper half is left to chance, so that many clients do not come back at the same moment. `random` lies in [0, 1).
 */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempt, 20));
  return Math.round(full / 2 + (full / 2) * random);
}

/**
 * Milliseconds that a Retry-After header asks for: seconds, or a date (RFC 9110, section 10.2.3); undefined where it is
 * missing or says neither.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Math.ceil(Number(header) * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Milliseconds until the next full minute, at which the exchange counts request weight from zero again. */
export const msToNextMinute = (now: number): number => 60_000 - (now % 60_000);
