import kafkajs from 'kafkajs';
import type pg from 'pg';
import { queryRows } from '../../src/adapters/postgres.js';
import type { Tick } from '../../src/core/tick.js';
import { countBars } from './count-bars.js';
import { barsOfTape } from './tape-bars.js';

/** Counts a topic of one symbol into the warehouse as the hot query does, one message of Kafka after the other; Spark's part in TypeScript. */
export async function countTopic(
  pool: pg.Pool,
  { brokers, topic }: { readonly brokers: readonly string[]; readonly topic: string },
): Promise<{ stop(): Promise<void> }> {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `count-${topic}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      await countTicks(
        pool,
        batch.messages.map(({ value }) => JSON.parse(String(value)) as Tick),
      );
      const [first, next] = [Number(batch.firstOffset()), Number(batch.lastOffset()) + 1];
      await queryRows(
        pool,
        `INSERT INTO crypto.batches
           (run_id, query, generation, batch_id, topic, offsets, counted, repeated, conflicted, rejected)
         VALUES ('run', 'hot', 'g', $1::int8, $2, jsonb_build_object($3::text, jsonb_build_array($1::int8, $4::int8)), 0, 0, 0, 0)`,
        [first, topic, batch.partition, next],
      );
    },
  });
  return { stop: () => consumer.disconnect() };
}

/** The counting rule on some trades: what is covered or has a price of zero is left out. */
export async function countTicks(pool: pg.Pool, ticks: readonly Tick[]): Promise<void> {
  const [held] = await queryRows<{ covered: boolean[] }>(
    pool,
    `SELECT array_agg(EXISTS (SELECT 1 FROM crypto.coverage WHERE symbol = $2 AND ids @> id) ORDER BY place) AS covered
     FROM unnest($1::int8[]) WITH ORDINALITY AS given (id, place)`,
    [ticks.map(({ aggTradeId }) => aggTradeId), ticks[0]?.symbol ?? ''],
  );
  const fresh = ticks.filter(({ price }, index) => Number(price) > 0 && held?.covered[index] !== true);
  if (fresh.length === 0) return;
  const rows = fresh.map((tick) => [
    ...[String(tick.aggTradeId), tick.price, tick.quantity, String(tick.firstTradeId)],
    ...[String(tick.lastTradeId), String(tick.eventTime), String(tick.buyerIsMaker)],
  ]);
  const ids = fresh.map(({ aggTradeId }) => `[${aggTradeId},${aggTradeId}]`);
  await countBars(pool, barsOfTape(rows, fresh[0]!.symbol, 60_000), ids);
}
