import { z } from 'zod';

const count = z.int().min(1).max(1_000);
const seconds = z.number().min(0).max(86_400);

/** What shall go wrong on a stream: with its next messages, with the connection, or with both. */
export const streamFaultSchema = z.discriminatedUnion('stream', [
  /** The next messages are not sent. */
  z.strictObject({ stream: z.literal('drop'), count: count.default(1) }),
  /** The next messages are sent twice each. */
  z.strictObject({ stream: z.literal('double'), count: count.default(1) }),
  /** The next messages are sent in reverse. */
  z.strictObject({ stream: z.literal('reorder'), count: count.min(2).default(2) }),
  /** The next messages have a price that cannot be read. */
  z.strictObject({ stream: z.literal('unreadable'), count: count.default(1) }),
  /** After each of the next messages comes one more of the same trade, with an id near 2^53. */
  z.strictObject({ stream: z.literal('far-id'), count: count.default(1) }),
  /** Neither a message nor a ping or pong for so long. */
  z.strictObject({ stream: z.literal('silence'), seconds }),
  /** Closed with a code; 1006 is a connection that breaks without a closing frame. */
  z.strictObject({
    stream: z.literal('close'),
    code: z.union([z.literal(1001), z.literal(1006), z.literal(1008)]),
  }),
  /** `serverShutdown` now, closed with 1001 so much later. */
  z.strictObject({ stream: z.literal('shutdown'), afterSeconds: seconds.default(1) }),
  /** The end of the connection's day comes so soon. */
  z.strictObject({ stream: z.literal('cut'), afterSeconds: seconds }),
]);

export type StreamFault = z.infer<typeof streamFaultSchema>;
/** Those that meet so many messages. */
export type CountedFault = Extract<StreamFault, { count: number }>;
