import { z } from 'zod';

const seconds = z.number().min(0.001).max(86_400);

/** Every request of REST in a time: an error status, a connection cut without an answer, or status 200 with a wrong body. */
const restOutage = z.strictObject({
  rest: z.literal('outage'),
  seconds,
  /** `ban` is a 418 without `Retry-After`, whose text has the time of the outage's end. */
  how: z.enum(['503', 'drop', '403', 'ban', 'html', 'half', 'empty', 'huge']).default('503'),
});

/** Every stream connection is cut, and every new one refused before its upgrade. */
const streamOutage = z.strictObject({
  stream: z.literal('outage'),
  seconds,
  how: z.enum(['drop', '403', '503']).default('drop'),
});

/** Nothing listens on the sandbox's port, its own addresses included. */
const exchangeOutage = z.strictObject({ exchange: z.literal('outage'), seconds });

/** A symbol with another status in exchangeInfo, while its trades go on; or `REMOVED`: it is unknown everywhere. */
const symbolStatus = z.strictObject({
  symbol: z.string().min(1),
  status: z.enum(['HALT', 'BREAK', 'REMOVED']),
  seconds,
});

export type RestOutage = z.infer<typeof restOutage>;
export type StreamOutage = z.infer<typeof streamOutage>;
export type SymbolStatus = z.infer<typeof symbolStatus>;
/** What begins at once and ends by itself. */
export type TimedFault = RestOutage | StreamOutage | z.infer<typeof exchangeOutage> | SymbolStatus;

/**
 * The timed fault that this is; undefined where it is of another kind.
 * @throws Error that says what is wrong with it.
 */
export function timedFaultOf(body: object): TimedFault | undefined {
  if ('rest' in body) return restOutage.parse(body);
  if ('exchange' in body) return exchangeOutage.parse(body);
  if ('symbol' in body) return symbolStatus.parse(body);
  return 'stream' in body && body.stream === 'outage' ? streamOutage.parse(body) : undefined;
}

/** Also true for what was ordered as a fault of another kind and looks so. */
export const isTimed = (fault: object): fault is TimedFault =>
  'rest' in fault ||
  'exchange' in fault ||
  'symbol' in fault ||
  ('stream' in fault && fault.stream === 'outage');

/** How many requests and connects a timed fault has met so far, by their path. */
export type Met = Record<string, number>;

interface Running<F extends TimedFault = TimedFault> {
  readonly fault: F;
  /** Epoch ms. */
  readonly until: number;
  readonly met: Met;
}

/** The timed faults that have begun; of several of one kind the newest counts. */
export class TimedFaults {
  private running: readonly Running[] = [];

  /** What it meets is counted in `met`. */
  begin(fault: TimedFault, met: Met): void {
    const now = Date.now();
    this.running = [{ fault, until: now + fault.seconds * 1_000, met }, ...this.active(now)];
  }

  clear(): void {
    this.running = [];
  }

  list(): readonly TimedFault[] {
    return this.active(Date.now()).map(({ fault }) => fault);
  }

  /** The outage of REST that this request meets. */
  meetRest(path: string): Running<RestOutage> | undefined {
    return this.meet((fault): fault is RestOutage => 'rest' in fault, path);
  }

  /** How this connect to a stream is refused, if it is. */
  meetStream(path: string): StreamOutage['how'] | undefined {
    return this.meet((fault): fault is StreamOutage => 'stream' in fault, path)?.fault.how;
  }

  /** The status that a symbol has by a fault. */
  statusOf(symbol: string): SymbolStatus['status'] | undefined {
    const isOfSymbol = (fault: TimedFault): fault is SymbolStatus =>
      'symbol' in fault && fault.symbol === symbol;
    return this.newest(isOfSymbol, Date.now())?.fault.status;
  }

  private meet<F extends TimedFault>(
    isOfKind: (fault: TimedFault) => fault is F,
    path: string,
  ): Running<F> | undefined {
    const found = this.newest(isOfKind, Date.now());
    if (found !== undefined) found.met[path] = (found.met[path] ?? 0) + 1;
    return found;
  }

  private newest<F extends TimedFault>(
    isOfKind: (fault: TimedFault) => fault is F,
    now: number,
  ): Running<F> | undefined {
    return this.active(now).find((one): one is Running<F> => isOfKind(one.fault));
  }

  private active(now: number): readonly Running[] {
    return this.running.filter(({ until }) => now < until);
  }
}
