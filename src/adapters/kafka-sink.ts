import type { ICustomPartitioner, Message, Producer } from 'kafkajs';
import { cursorKey, cursorMessage } from '../core/cursor.js';
import { UnreachableError } from '../core/errors.js';
import type { TickSink } from '../core/ports/topic.js';
import { heartbeatKey, heartbeatMessage } from '../core/producer-heartbeat.js';
import { rejectedMessage } from '../core/rejected-row.js';
import { tickMessage } from '../core/tick-message.js';
import {
  bounded,
  closeQuietly,
  kafkaClient,
  loadKafkajs,
  requireTopics,
  type KafkaOptions,
} from './kafka-client.js';
import { LateError, LostSequenceError } from './kafka-errors.js';

/** What is sent with one request; `of` tells the same again from something else. */
interface Batch {
  readonly what: string;
  readonly topic: string;
  readonly of: object;
  readonly messages: () => Message[];
}

/**
 * Sends ticks, keyed by symbol, idempotent and acknowledged by all replicas that must. Connects on the first send; each call is
 * one try, which its caller repeats.
 */
export function kafkaSink(options: KafkaOptions): TickSink {
  const connection = new ProducerConnection(options);
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    const turn = last.then(call, call);
    last = turn.catch(() => undefined);
    return turn;
  };
  const send = (batch: Batch): Promise<void> => inTurn(() => connection.send(batch));
  const { topic, cursorTopic } = options;
  return {
    open: () => inTurn(() => connection.open()),
    send: async (ticks) => {
      if (ticks.length === 0) return;
      const messages = (): Message[] => ticks.map((tick) => ({ key: tick.symbol, value: tickMessage(tick) }));
      await send({ what: 'take the trades', topic, of: ticks, messages });
    },
    sendRejected: async (rows) => {
      if (rows.length === 0) return;
      const messages = (): Message[] => rows.map((row) => ({ key: row.symbol, value: rejectedMessage(row) }));
      await send({ what: 'take the rows that cannot be read', topic, of: rows, messages });
    },
    writeCursors: async (cursors) => {
      if (cursors.length === 0) return;
      const messages = (): Message[] =>
        cursors.map((cursor) => ({ key: cursorKey(cursor), value: cursorMessage(cursor) }));
      await send({ what: 'take the cursors', topic: cursorTopic, of: cursors, messages });
    },
    writeHeartbeat: async (heartbeat, replaced = []) => {
      const messages = (): Message[] => [
        ...replaced.map((other) => ({ key: heartbeatKey(other), value: null })),
        { key: heartbeatKey(heartbeat), value: heartbeatMessage(heartbeat) },
      ];
      await send({ what: 'take the heartbeat', topic: cursorTopic, of: heartbeat, messages });
    },
    close: () => connection.close(),
  };
}

/**
 * One idempotent producer, and a new one where that cannot go on.
 *
 * Only one request is under way at a time, and after one that failed the same is sent again: kafkajs takes the sequence numbers
 * of a failed request back, but Kafka may have written it. Other messages with its numbers would be taken for a repetition and
 * dropped, so they need a new producer.
 */
class ProducerConnection {
  private producer: Promise<Producer> | undefined;
  private failed: object | undefined;

  constructor(private readonly options: KafkaOptions) {}

  async open(): Promise<void> {
    const { topic, cursorTopic } = this.options;
    await bounded(this.options, { what: 'answer' }, async () => {
      const admin = (await kafkaClient(this.options)).admin();
      try {
        await admin.connect();
        await requireTopics(this.options, admin, [topic, cursorTopic]);
      } finally {
        await closeQuietly(() => admin.disconnect());
      }
      await this.connected();
    });
  }

  async send({ what, topic, of, messages }: Batch): Promise<void> {
    if (this.failed !== undefined && this.failed !== of) this.drop();
    try {
      await bounded(this.options, { what }, async () => {
        await (await this.connected()).send({ topic, messages: messages(), acks: -1 });
      });
      this.failed = undefined;
    } catch (error) {
      this.failed = of;
      if (!isRepeatable(error)) this.drop();
      throw error;
    }
  }

  async close(): Promise<void> {
    const open = this.producer;
    this.producer = undefined;
    if (open !== undefined) await closeQuietly(async () => (await open).disconnect());
  }

  private connected(): Promise<Producer> {
    if (this.producer === undefined) {
      const made = connect(this.options);
      this.producer = made;
      made.catch(() => {
        if (this.producer === made) this.producer = undefined;
      });
    }
    return this.producer;
  }

  private drop(): void {
    this.failed = undefined;
    void this.close();
  }
}

/** Whether the same messages may be sent again through the same producer: its request is over, and it agrees with Kafka. */
const isRepeatable = (error: unknown): boolean =>
  error instanceof UnreachableError &&
  error.retryable &&
  !(error instanceof LostSequenceError) &&
  !(error instanceof LateError);

async function connect(options: KafkaOptions): Promise<Producer> {
  const { Partitioners } = await loadKafkajs();
  const producer = (await kafkaClient(options)).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: remembering(Partitioners.DefaultPartitioner),
  });
  try {
    await producer.connect();
  } catch (error) {
    void closeQuietly(() => producer.disconnect());
    throw error;
  }
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
