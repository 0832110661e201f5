import { submitStreaming, type Streaming } from './streaming.js';
import { eventually, type World } from './world.js';

export const liveTopic = 'bench_live';
const symbols = 'ADAUSDT,AVAXUSDT,BNBUSDT,BTCUSDT,DOGEUSDT,ETHUSDT,LINKUSDT,LTCUSDT,SOLUSDT,XRPUSDT';
/** Of each of the ten symbols. */
const ratePerSecond = 20;

/** A live market, 200 trades a second through the stream feed, into the topic and the job behind it, both at work until the world ends. */
export function live(world: World): Promise<Streaming> {
  return world.once('live', async () => {
    await world.run(liveTopic, ['init', '--json']);
    const { url } = await world.exchange([
      ...['--symbols', symbols, '--rate', String(ratePerSecond), '--history', '1'],
    ]);
    const producer = world.start(liveTopic, [
      ...['produce', '--feed', 'stream', '--symbols', symbols, '--exchange', url, '--json', '--quiet'],
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
