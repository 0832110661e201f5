import type { Fault, Origin, Planned, RequestFault } from './fault.js';
import type { StreamFault } from './stream/stream-fault.js';
import { isTimed, TimedFaults, type RestOutage } from './timed-fault.js';

const isStreamFault = (planned: Planned): planned is Planned<StreamFault> => 'stream' in planned.fault;
const isRequestFault = (planned: Planned): planned is Planned<RequestFault> =>
  !isStreamFault(planned) && !isTimed(planned.fault);

/** The faults that wait for a request or a connection to meet, in the order in which they were asked for. */
export class Faults {
  readonly timed = new TimedFaults();
  private pending: Planned[] = [];

  add(planned: Planned<RequestFault | StreamFault>): void {
    this.pending.push(planned);
  }

  clear(): void {
    this.pending = [];
    this.timed.clear();
  }

  /** Those that have begun, then those that are to come. */
  list(): readonly Fault[] {
    return [...this.timed.list(), ...this.pending.map(({ fault }) => fault)];
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

/** What an outage of REST does to one request; `until` is the outage's end, epoch ms. */
export function faultOfOutage(how: RestOutage['how'], until: number, now: number): RequestFault {
  switch (how) {
    case '503':
      return { status: 503, count: 1 };
    case '403':
      return { status: 403, count: 1 };
    case 'ban':
      return { status: 418, retryAfterSeconds: Math.ceil((until - now) / 1_000), header: false, count: 1 };
    case 'drop':
      return { drop: true, count: 1 };
    case 'html':
    case 'half':
    case 'empty':
    case 'huge':
      return { body: how, count: 1 };
  }
}
