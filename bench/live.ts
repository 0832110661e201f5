import { submitStreaming, type Streaming } from './streaming.js';
import { eventually, type World } from './world.js';

export const liveTopic = 'bench_live';
const symbols = 'ADAUSDT,XRPUSDT';
/** Of each of the two symbols. */
const ratePerSecond = 100;
/** Small, so that what is measured is not how often the exchange is asked. */
const pollIntervalMs = '100';

/** A live market into the topic and the job behind it, both at work until the world ends. */
export function live(world: World): Promise<Streaming> {
  return world.once('live', async () => {
    await world.run(liveTopic, ['init', '--json']);
    const { url } = await world.exchange([
      ...['--symbols', symbols, '--rate', String(ratePerSecond), '--history', '1'],
    ]);
    const producer = world.start(liveTopic, [
      ...[
        'produce',
        '--symbols',
        symbols,
        '--exchange',
        url,
        '--interval',
        pollIntervalMs,
        '--json',
        '--quiet',
      ],
    ]);
    world.onClose(async () => {
      producer.interrupt();
      await producer.ended;
    });
    const admin = world.kafka.admin();
    await admin.connect();
    await eventually('the first live trades in Kafka', 30_000, async () => {
      const offsets = await admin.fetchTopicOffsets(liveTopic);
      return offsets.some(({ high }) => Number(high) > 0) ? true : undefined;
    });
    await admin.disconnect();
    world.say('submitting the job on a live market');
    const run = await submitStreaming(world, liveTopic);
    world.onClose(() => run.stop());
    return run;
  });
}
