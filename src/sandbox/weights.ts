import { errorBody, type Reply } from './api-error.js';

/** REQUEST_WEIGHT of the exchange: so much a minute and IP address. */
export const WEIGHT_PER_MINUTE = 6_000;
const MINUTE_MS = 60_000;
/** How many requests after a 429 are borne until the ban: not documented, assumed. */
const BORNE_AFTER_LIMIT = 20;
const FIRST_BAN_MS = 2 * MINUTE_MS;
const LONGEST_BAN_MS = 3 * 24 * 60 * MINUTE_MS;

/** Counts request weight by the minute of the real clock; every client is one address, since all are on loopback. */
export class RequestLimit {
  private minute = -1;
  private used = 0;
  private ignored = 0;
  private bans = 0;
  private bannedUntil = 0;

  constructor(private readonly isEnforced: boolean) {}

  /** The weight used in this minute, the new request included, and the refusal, if it is refused. */
  take(weight: number, now: number): { readonly used: number; readonly refusal: Reply | undefined } {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.minute) [this.minute, this.used, this.ignored] = [minute, 0, 0];
    this.used += weight;
    return { used: this.used, refusal: this.isEnforced ? this.refusal(now) : undefined };
  }

  private refusal(now: number): Reply | undefined {
    if (now < this.bannedUntil) return banned(this.bannedUntil, now);
    if (this.used <= WEIGHT_PER_MINUTE) return undefined;
    this.ignored += 1;
    if (this.ignored <= BORNE_AFTER_LIMIT)
      return tooManyRequests(Math.ceil((MINUTE_MS - (now % MINUTE_MS)) / 1000));
    this.bannedUntil = now + Math.min(FIRST_BAN_MS * 2 ** this.bans, LONGEST_BAN_MS);
    this.bans += 1;
    return banned(this.bannedUntil, now);
  }
}

/** 429: the limit is broken; waiting so long avoids a ban. */
export function tooManyRequests(retryAfterSeconds: number): Reply {
  const text = `Too much request weight used; current limit is ${WEIGHT_PER_MINUTE} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.`;
  return { status: 429, body: errorBody(-1003, text), retryAfterSeconds };
}

/** 418: banned until a time (epoch ms). */
export function banned(until: number, now: number): Reply {
  const text = `Way too much request weight used; IP banned until ${until}. Please use WebSocket Streams for live updates to avoid bans.`;
  return { status: 418, body: errorBody(-1003, text), retryAfterSeconds: Math.ceil((until - now) / 1000) };
}
