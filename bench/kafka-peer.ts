import kafkajs from 'kafkajs';
import type { World } from './world.js';

const topic = 'bench_peer';
const batchSize = 1000;

/** Trades a second that kafkajs alone brings into the topic: the same messages, made before the clock starts. */
export async function kafkajsAlone(world: World): Promise<number> {
  await world.run(topic, ['init', '--json']);
  const { trades } = world.scale;
  const messages = Array.from({ length: batchSize }, (_, index) => ({
    key: index % 2 === 0 ? 'BTCUSDT' : 'ETHUSDT',
    value: `{"source":"binance-spot","symbol":"BTCUSDT","price":"61000.01000000","quantity":"0.00123000","eventTime":1704067200000,"aggTradeId":${1e9 + index},"firstTradeId":${3e9 + index},"lastTradeId":${3e9 + index},"buyerIsMaker":true}`,
  }));
  const producer = world.kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const startedAt = performance.now();
  for (let sent = 0; sent < trades; sent += batchSize) await producer.send({ topic, messages, acks: -1 });
  const seconds = (performance.now() - startedAt) / 1000;
  await producer.disconnect();
  return trades / seconds;
}
