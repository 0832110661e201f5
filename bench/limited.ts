import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from './world.js';

const topic = 'bench_limited';

export interface Limited {
  readonly sent: number;
  readonly seconds: number;
  /** The highest that the exchange has said. */
  readonly usedWeight: number;
  /** Pauses that the exchange imposed by an answer, not by what it was known to allow. */
  readonly refusals: number;
}

/** Produces under the real request limit, out of a history that it cannot reach the end of, from a minute's begin on. */
export async function produceLimited(world: World): Promise<Limited> {
  await world.run(topic, ['init', '--json']);
  const begin = new Date(Date.now() - 6 * 3_600_000).toISOString();
  const { url, running } = await world.exchange([
    ...['--symbols', 'BNBUSDT,SOLUSDT', '--rate', '200', '--begin', begin],
  ]);
  world.say('waiting for the next minute of the exchange, where its request weight begins at 0');
  await sleep(60_000 - (Date.now() % 60_000));
  const producer = world.start(topic, [
    ...['produce', '--symbols', 'BNBUSDT,SOLUSDT', '--exchange', url, '--from', begin, '--json'],
  ]);
  let usedWeight = 0;
  for (let second = 0; second < world.scale.seconds; second += 5) {
    await sleep(Math.min(5, world.scale.seconds) * 1000);
    const { headers } = await fetch(`${url}/api/v3/ping`);
    usedWeight = Math.max(usedWeight, Number(headers.get('x-mbx-used-weight-1m')));
  }
  producer.interrupt();
  const summary = await producer.line(({ type }) => type === 'summary');
  await producer.ended;
  running.interrupt();
  const waits = producer.lines.filter(({ type }) => type === 'wait');
  return {
    sent: Number(summary['sent']),
    seconds: Number(summary['seconds']),
    usedWeight,
    refusals: waits.filter(({ reason }) => /answered 4(29|18)/.test(String(reason))).length,
  };
}
