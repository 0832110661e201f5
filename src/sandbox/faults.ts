import { z } from 'zod';
import { errorBody, type Reply } from './api-error.js';
import { banned, tooManyRequests } from './weights.js';

const scope = {
  /** How many requests it meets. */
  count: z.int().min(1).max(1_000_000).default(1),
  /** Only requests of this path, such as `/api/v3/aggTrades`. */
  path: z.string().startsWith('/').optional(),
};
const faultSchema = z.union([
  z.strictObject({
    status: z.union([403, 418, 429, 451, 500, 502, 503, 504].map((status) => z.literal(status))),
    retryAfterSeconds: z.int().min(0).max(259_200).optional(),
    ...scope,
  }),
  z.strictObject({ delayMs: z.int().min(1).max(600_000), ...scope }),
  z.strictObject({ drop: z.literal(true), ...scope }),
]);

/** What shall go wrong: a status, a delay before the right answer, or a connection cut without an answer. */
export type Fault = z.infer<typeof faultSchema>;

/** The faults that were asked for, in the order in which they were. */
export class Faults {
  private pending: Fault[] = [];

  /** @throws Error that says what is wrong with the request's body. */
  add(body: string): void {
    this.pending.push(faultSchema.parse(JSON.parse(body)));
  }

  clear(): void {
    this.pending = [];
  }

  list(): readonly Fault[] {
    return this.pending;
  }

  /** The fault that meets this request; it has one less to go then. */
  take(path: string): Fault | undefined {
    const at = this.pending.findIndex((fault) => fault.path === undefined || fault.path === path);
    const fault = this.pending[at];
    if (fault === undefined) return undefined;
    if (fault.count > 1) this.pending[at] = { ...fault, count: fault.count - 1 };
    else this.pending.splice(at, 1);
    return fault;
  }
}

const RESTRICTED =
  "Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms. Please contact customer service if you believe you received this message in error.";

/** The exchange's own answer for a status. */
export function replyFor(status: number, retryAfterSeconds: number | undefined, now: number): Reply {
  switch (status) {
    case 429:
      return tooManyRequests(retryAfterSeconds ?? 1);
    case 418:
      return banned(now + (retryAfterSeconds ?? 120) * 1000, now);
    case 451:
      return { status, body: JSON.stringify({ code: 0, msg: RESTRICTED }, null, 2) };
    case 403:
      return { status, body: '<html><body><h1>403 Forbidden</h1></body></html>' };
    case 503:
      return withRetry(
        {
          status,
          body: errorBody(
            -1008,
            'Server is currently overloaded with other requests. Please try again in a few minutes.',
          ),
        },
        retryAfterSeconds,
      );
    case 504:
      return {
        status,
        body: errorBody(
          -1007,
          'Timeout waiting for response from backend server. Send status unknown; execution status unknown.',
        ),
      };
    default:
      return withRetry(
        { status, body: errorBody(-1000, 'An unknown error occurred while processing the request.') },
        retryAfterSeconds,
      );
  }
}

function withRetry(refusal: Reply, retryAfterSeconds: number | undefined): Reply {
  return retryAfterSeconds === undefined ? refusal : { ...refusal, retryAfterSeconds };
}
