import { errorBody, type Reply } from './api-error.js';
import type { Fault, Origin, Outage, Planned, RequestFault } from './fault.js';
import type { StreamFault } from './stream/stream-fault.js';
import { banned, tooManyRequests } from './weights.js';

const isStreamFault = (planned: Planned): planned is Planned<StreamFault> => 'stream' in planned.fault;
const isRequestFault = (planned: Planned): planned is Planned<RequestFault> =>
  !isStreamFault(planned) && !('rest' in planned.fault);

/** The faults that are still to come, in the order in which they were asked for, and the outage that is. */
export class Faults {
  private pending: Planned[] = [];
  private outage: { readonly how: Outage['how']; readonly until: number } | undefined;

  /** An outage begins at once; everything else waits for a request or a connection to meet. */
  add(planned: Planned): void {
    if ('rest' in planned.fault)
      this.outage = { how: planned.fault.how, until: Date.now() + planned.fault.seconds * 1_000 };
    else this.pending.push(planned);
  }

  clear(): void {
    this.pending = [];
    this.outage = undefined;
  }

  list(): readonly Fault[] {
    return this.pending.map(({ fault }) => fault);
  }

  /** How REST is out at this time, if it is. */
  outageAt(now: number): Outage['how'] | undefined {
    return this.outage !== undefined && now < this.outage.until ? this.outage.how : undefined;
  }

  /** The next fault for a stream, if there is one. */
  takeStream(): Planned<StreamFault> | undefined {
    const next = this.pending.find(isStreamFault);
    if (next !== undefined) this.pending = this.pending.filter((planned) => planned !== next);
    return next;
  }

  hasStream(by?: Origin): boolean {
    return this.pending.some((planned) => isStreamFault(planned) && (by === undefined || planned.by === by));
  }

  /** The fault that meets this request; it has one less to go then. */
  take(path: string): Planned<RequestFault> | undefined {
    const met = this.pending
      .filter(isRequestFault)
      .find(({ fault }) => fault.path === undefined || fault.path === path);
    if (met === undefined) return undefined;
    const rest = { ...met, fault: { ...met.fault, count: met.fault.count - 1 } };
    this.pending = this.pending.flatMap((planned) =>
      planned !== met ? [planned] : rest.fault.count > 0 ? [rest] : [],
    );
    return met;
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
