import type { ICustomPartitioner, Message, Producer } from 'kafkajs';
import { cursorKey, cursorMessage } from '../core/cursor.js';
import type { TickSink } from '../core/ports/topic.js';
import { rejectedMessage } from '../core/rejected-row.js';
import { tickMessage } from '../core/tick-message.js';
import {
  bounded,
  closeQuietly,
  kafkaClient,
  loadKafkajs,
  outageTimeoutMs,
  requireTopics,
  type KafkaOptions,
} from './kafka-client.js';

type SinkOptions = KafkaOptions & { readonly timeoutMs: number };

/**
 * Sends ticks, keyed by symbol, idempotent and acknowledged by all replicas that must.
 *
 * Only one request is under way at a time: kafkajs takes the sequence numbers of a request back when it fails, which is
 * only right when none was sent after it. Connects on the first send.
 */
export function kafkaSink(given: KafkaOptions): TickSink {
  const options = { timeoutMs: outageTimeoutMs, ...given };
  let producer: Promise<Producer> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    const turn = last.then(call, call);
    last = turn.catch(() => undefined);
    return turn;
  };
  const send = (what: string, topic: string, messages: Message[]): Promise<void> =>
    inTurn(() =>
      bounded(options, what, async () => {
        const connected = await (producer ??= connect(options));
        await connected.send({ topic, messages, acks: -1 });
      }),
    );

  return {
    open: () =>
      inTurn(() =>
        bounded(options, 'answer', async () => {
          await (producer ??= connect(options));
        }),
      ),
    send: async (ticks) => {
      if (ticks.length === 0) return;
      const messages = ticks.map((tick) => ({ key: tick.symbol, value: tickMessage(tick) }));
      await send('take the trades', options.topic, messages);
    },
    sendRejected: async (rows) => {
      if (rows.length === 0) return;
      const messages = rows.map((row) => ({ key: row.symbol, value: rejectedMessage(row) }));
      await send('take the rows that cannot be read', options.topic, messages);
    },
    writeCursors: async (cursors) => {
      if (cursors.length === 0) return;
      const messages = cursors.map((cursor) => ({ key: cursorKey(cursor), value: cursorMessage(cursor) }));
      await send('take the cursors', options.cursorTopic, messages);
    },
    close: async () => {
      const open = producer;
      producer = undefined;
      if (open !== undefined) await closeQuietly(async () => (await open).disconnect());
    },
  };
}

async function connect(options: SinkOptions): Promise<Producer> {
  const { Partitioners } = await loadKafkajs();
  const admin = (await kafkaClient(options)).admin();
  await admin.connect();
  try {
    await requireTopics(options, admin, [options.topic, options.cursorTopic]);
  } finally {
    await closeQuietly(() => admin.disconnect());
  }
  const producer = (await kafkaClient(options, 'outage')).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: remembering(Partitioners.DefaultPartitioner),
    // Without a bound the idempotent producer tries for ever; `bounded` ends it sooner in any case.
    retry: { initialRetryTime: 300, multiplier: 2, maxRetryTime: 10_000, retries: retriesWithin(options) },
  });
  await producer.connect();
  return producer;
}

/** The partition of a key as Java's client computes it, computed once per key instead of once per message. */
const remembering =
  (partitioner: ICustomPartitioner): ICustomPartitioner =>
  () => {
    const compute = partitioner();
    const known = new Map<string, number>();
    return (args) => {
      const id = `${args.topic} ${args.partitionMetadata.length} ${String(args.message.key)}`;
      let partition = known.get(id);
      if (partition === undefined) known.set(id, (partition = compute(args)));
      return partition;
    };
  };

/** About as many tries as fit into the time of one call, with at most 10 s between two. */
const retriesWithin = ({ timeoutMs }: SinkOptions): number => Math.max(5, Math.round(timeoutMs / 6000));
