import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lostOnStream } from '../support/outage.js';
import { eventually } from '../support/pipeline.js';
import { seconds, Service, sleep, startTimeoutMs } from '../support/service.js';

const banSeconds = 1200;
/** Requests of a status that looks at the exchange's clock. */
const statusPath = '/api/v3/time';

interface FaultLog {
  readonly entries: readonly { readonly kind: string; readonly met?: Readonly<Record<string, number>> }[];
}

describe('a ban of 20 minutes', () => {
  let service: Service;
  beforeAll(async () => {
    service = await Service.start({ name: 'outage-ban', portOffset: 12_000 });
  }, startTimeoutMs);
  afterAll(async () => (service as Service | undefined)?.close());

  /** The requests that met the ban, by path. */
  async function met(): Promise<Readonly<Record<string, number>>> {
    const { entries } = (await (await fetch(`${service.sandbox.url}/sandbox/faults/log`)).json()) as FaultLog;
    return entries.find(({ kind }) => kind === 'outage ban')?.met ?? {};
  }

  it('is named, and no request prolongs it', { timeout: 26 * 60_000 }, async () => {
    const startedAt = Date.now();
    const before = await service.counted();
    await service.order({ rest: 'outage', seconds: banSeconds, how: 'ban' }, lostOnStream);
    const isNamed =
      /^producers: the producer \(.*\) waits for exchange since .* answered 418: no call is made before /;
    const line = await eventually(
      'a line of status that names the ban',
      async () => (await service.problems()).find((problem) => isNamed.test(problem)),
      60_000,
    );
    const namedMs = Date.now() - startedAt;
    console.log(`the ban: named after ${seconds(namedMs)} s: ${line}`);
    // A status makes requests of its own, so none is called before the end.
    const soon = await met();
    await sleep(startedAt + (banSeconds - 2) * 1000 - Date.now());
    const late = await met();
    console.log(
      `requests in the first ${seconds(namedMs)} s: ${JSON.stringify(soon)}; in the whole ban: ${JSON.stringify(late)}`,
    );
    await sleep(startedAt + banSeconds * 1000 - Date.now());
    const healthyMs = await service.becomesHealthy(120_000);
    const trades = (await service.counted()) - before;
    console.log(
      `a ban of ${banSeconds} s: named after ${seconds(namedMs)} s, healthy after ${seconds(healthyMs)} s, ${trades} trades counted`,
    );
    expect(namedMs).toBeLessThan(30_000);
    expect(late).toEqual(soon);
    const ofProducer = Object.entries(soon).filter(([path]) => path !== statusPath);
    // Each symbol may have asked once before the first answer came.
    expect(ofProducer.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(5);
  });

  it('nothing is lost', async () => {
    await service.proveNothingLost();
  });
});
