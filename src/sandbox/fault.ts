import { z } from 'zod';
import { streamFaultSchema, type StreamFault } from './stream/stream-fault.js';

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
    ...scope,
  }),
  z.strictObject({ delayMs: z.int().min(1).max(600_000), ...scope }),
  z.strictObject({ drop: z.literal(true), ...scope }),
]);

/** REST does not answer for a time: 503 to everything, or connections cut without an answer. */
const outageSchema = z.strictObject({
  rest: z.literal('outage'),
  seconds: z.number().min(0.001).max(86_400),
  how: z.enum(['503', 'drop']).default('503'),
});

/** What meets single requests: a status, a delay before the right answer, or a connection cut without an answer. */
export type RequestFault = z.infer<typeof requestFaultSchema>;
export type Outage = z.infer<typeof outageSchema>;
/** What shall go wrong. */
export type Fault = RequestFault | Outage | StreamFault;

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
  if (isObject && 'stream' in body) return streamFaultSchema.parse(body);
  if (isObject && 'rest' in body) return outageSchema.parse(body);
  return requestFaultSchema.parse(body);
}

/** The name that faults are counted under. */
export function kindOf(fault: Fault): string {
  if ('stream' in fault) return fault.stream === 'close' ? `close ${fault.code}` : fault.stream;
  if ('rest' in fault) return `outage ${fault.how}`;
  if ('status' in fault) return `status ${fault.status}`;
  return 'delayMs' in fault ? 'delay' : 'request dropped';
}
