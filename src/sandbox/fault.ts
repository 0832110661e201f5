import { z } from 'zod';
import { streamFaultSchema, type StreamFault } from './stream/stream-fault.js';
import { timedFaultOf, type TimedFault } from './timed-fault.js';

const scope = {
  /** How many requests it meets. */
  count: z.int().min(1).max(1_000_000).default(1),
  /** Only requests of this path, such as `/api/v3/aggTrades`. */
  path: z.string().startsWith('/').optional(),
};
const requestFaultSchema = z.union([
  z.strictObject({
    status: z.union([403, 418, 429, 451, 500, 502, 503, 504].map((status) => z.literal(status))),
    retryAfterSeconds: z.int().min(0).max(259_200).optional(),
    /** False leaves out the header `Retry-After`: only the text of a 418 has the time then. */
    header: z.boolean().optional(),
    ...scope,
  }),
  z.strictObject({ delayMs: z.int().min(1).max(600_000), ...scope }),
  z.strictObject({ drop: z.literal(true), ...scope }),
  /** Status 200 with a web page, half of the JSON, nothing, or 128 MiB after decompression. */
  z.strictObject({ body: z.enum(['html', 'half', 'empty', 'huge']), ...scope }),
  /** The first trade of an answer has a price that cannot be read. */
  z.strictObject({
    body: z.literal('unreadable'),
    ...scope,
    path: z.literal('/api/v3/aggTrades').default('/api/v3/aggTrades'),
  }),
]);

/** What meets single requests: a status, a delay before the right answer, a connection cut without an answer, a wrong body. */
export type RequestFault = z.infer<typeof requestFaultSchema>;
/** What is wrong with the body of an answer. */
export type WrongBody = Extract<RequestFault, { body: unknown }>['body'];
/** What shall go wrong. */
export type Fault = RequestFault | TimedFault | StreamFault;

/** Ordered by a request, or from the seed. */
export type Origin = 'order' | 'chaos';

/** A fault and where it comes from. */
export interface Planned<F extends Fault = Fault> {
  readonly fault: F;
  readonly by: Origin;
}

/** @throws Error that says what is wrong with the text. */
export function parseFault(text: string): Fault {
  const body: unknown = JSON.parse(text);
  const isObject = typeof body === 'object' && body !== null;
  const timed = isObject ? timedFaultOf(body) : undefined;
  if (timed !== undefined) return timed;
  return isObject && 'stream' in body ? streamFaultSchema.parse(body) : requestFaultSchema.parse(body);
}

/** The name that faults are counted under. */
export function kindOf(fault: Fault): string {
  if ('rest' in fault) return `outage ${fault.how}`;
  if ('exchange' in fault) return 'exchange outage';
  if ('symbol' in fault) return `symbol ${fault.status}`;
  if ('stream' in fault) return streamKind(fault);
  if ('status' in fault) return `status ${fault.status}`;
  if ('body' in fault) return `body ${fault.body}`;
  return 'delayMs' in fault ? 'delay' : 'request dropped';
}

function streamKind(fault: Extract<Fault, { stream: unknown }>): string {
  if (fault.stream === 'outage') return `stream outage ${fault.how}`;
  return fault.stream === 'close' ? `close ${fault.code}` : fault.stream;
}
