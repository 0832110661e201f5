import { join } from 'node:path';
import type { Usage } from './program.js';
import { eventually, type World } from './world.js';

/** The topic that one replay fills, for whoever measures the replay or reads the topic. */
export const backlogTopic = 'bench_backlog';
const symbols = ['BTCUSDT', 'ETHUSDT'] as const;

export interface Replay {
  readonly trades: number;
  /** From the first request for trades to the last acknowledgement. */
  readonly seconds: number;
  readonly producer: Usage | undefined;
  readonly exchange: Usage | undefined;
}

/** Writes a tape of two symbols, serves all of it at once without a request limit, and produces it into the topic. */
export function backlog(world: World): Promise<Replay> {
  return world.once('backlog', async () => {
    const tapes = symbols.map((symbol) => join(world.folder, `${symbol}-aggTrades-bench.csv`));
    const each = Math.ceil(world.scale.trades / symbols.length);
    for (const [index, symbol] of symbols.entries())
      await world.run(backlogTopic, [
        ...['sandbox', 'tape', '--symbol', symbol, '--trades', String(each)],
        ...['--out', tapes[index] ?? '', '--json'],
      ]);
    await world.run(backlogTopic, ['init', '--json']);
    const { url, running } = await world.exchange([
      '--tape',
      ...tapes,
      '--all-at-once',
      '--no-request-limit',
    ]);
    world.say(`producing ${each * symbols.length} trades into Kafka`);
    const before = running.usage()?.cpuSeconds ?? 0;
    const producer = world.start(backlogTopic, [
      ...['produce', '--symbols', symbols.join(','), '--exchange', url],
      ...['--from', '0', '--until-caught-up', '--json'],
    ]);
    const summary = await producer.line(({ type }) => type === 'summary');
    const usage = producer.usage();
    await producer.ended;
    const served = running.usage();
    running.interrupt();
    await requireAll(world, each * symbols.length);
    return {
      trades: Number(summary['sent']),
      seconds: Number(summary['seconds']),
      producer: usage,
      exchange: served && { ...served, cpuSeconds: served.cpuSeconds - before },
    };
  });
}

/** A number about trades that are not there would be worth nothing. */
async function requireAll(world: World, trades: number): Promise<void> {
  const admin = world.kafka.admin();
  await admin.connect();
  try {
    await eventually(`${trades} messages in ${backlogTopic}`, 10_000, async () => {
      const offsets = await admin.fetchTopicOffsets(backlogTopic);
      return offsets.reduce((sum, { high }) => sum + Number(high), 0) === trades ? true : undefined;
    });
  } finally {
    await admin.disconnect();
  }
}
