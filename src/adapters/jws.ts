import { createHmac } from 'node:crypto';

/** Long enough for one call and for two clocks that differ a little; short enough to be worth little to a listener. */
const lifetimeSeconds = 60;

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * A token for one call, in compact form (RFC 7515), signed by HS256 and valid for a minute by the server's clock.
 *
 * Spark's JWSFilter takes HS256 for keys of every length from 32 bytes on, and checks the signature and `exp` alone:
 * there are no roles, whoever holds a valid token may do everything (Spark 4.2.0).
 *
 * @param key base64url of at least 32 bytes
 * @param nowMs Unix time in milliseconds
 */
export function mintToken(key: string, nowMs = Date.now()): string {
  const issuedAt = Math.floor(nowMs / 1000);
  const signed = `${base64url({ alg: 'HS256' })}.${base64url({ iat: issuedAt, exp: issuedAt + lifetimeSeconds })}`;
  const signature = createHmac('sha256', Buffer.from(key, 'base64url')).update(signed);
  return `${signed}.${signature.digest('base64url')}`;
}
