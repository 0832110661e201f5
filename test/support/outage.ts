import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerName } from '../../src/core/ports/stack.js';
import type { ProducerHeartbeat } from '../../src/core/producer-heartbeat.js';
import { eventually } from './pipeline.js';
import { seconds, Service, sleep, startTimeoutMs } from './service.js';

/** Within so long `status` must name what is out. */
const namedWithinMs = 30_000;

/** The parts run one after another. */
const portOffset = 12_000;

/** One system that is gone for a time. */
export interface Outage {
  readonly name: string;
  readonly seconds: number;
  readonly before?: (service: Service) => Promise<unknown>;
  readonly begin: (service: Service) => Promise<unknown>;
  /** What ends it; without it, it ends by itself. */
  readonly end?: (service: Service) => Promise<unknown>;
  /** The line of `status` that names it. */
  readonly named: RegExp;
  /** Until `status` finds nothing wrong after its end, and trades are counted again. */
  readonly healthyWithinSeconds: number;
}

type Fault = Readonly<Record<string, unknown>>;
type Expected = Partial<Pick<Outage, 'seconds' | 'named' | 'healthyWithinSeconds'>>;

/** Longer than every limit of a client. */
const usual = { seconds: 180, healthyWithinSeconds: 120 };
const waitsForExchange = /^producers: the producer \(.*\) waits for exchange/;

/** Trades that the stream does not bring: REST is needed for them. */
export const lostOnStream: Fault = { stream: 'drop', count: 100 };

/** An outage of the exchange, by faults of the sandbox that end by themselves. */
export const exchangeOutage = (name: string, faults: readonly Fault[], expected: Expected = {}): Outage => ({
  ...{ name, begin: (service) => service.order(...faults), named: waitsForExchange },
  ...usual,
  ...expected,
});

/** An outage of REST alone, while it is needed. */
export const restOutage = (name: string, how: string): Outage =>
  exchangeOutage(name, [lostOnStream, { rest: 'outage', seconds: usual.seconds, how }]);

/** Servers that are killed, and started by `stack up` later. */
export const killed = (names: readonly ServerName[], expected: Expected & Pick<Outage, 'named'>): Outage => ({
  name: names.join(' and '),
  begin: (service) => service.kill(...names),
  end: (service) => service.stackUp(),
  ...usual,
  ...expected,
});

/** Each outage in turn against one service, then the proof that nothing is lost. */
export function describeOutages(title: string, name: string, outages: readonly Outage[]): void {
  describe(title, () => {
    let service: Service;
    let producer: ProducerHeartbeat;

    beforeAll(async () => {
      service = await Service.start({ name, portOffset });
      producer = await service.producer();
    }, startTimeoutMs);
    // Undefined where it did not start.
    afterAll(async () => (service as Service | undefined)?.close());

    for (const outage of outages)
      it(
        `${outage.name}, gone for ${outage.seconds} s, is named and passes`,
        {
          timeout: (outage.seconds + outage.healthyWithinSeconds + 300) * 1000,
        },
        () => passOutage(service, outage),
      );

    it('nothing is lost, and nothing was started again', async () => {
      expect(await service.producer()).toMatchObject({ id: producer.id, pid: producer.pid });
      expect(await service.stream()).toMatchObject({ state: 'RUNNING', restarts: 0 });
      await service.proveNothingLost();
    });
  });
}

async function passOutage(service: Service, outage: Outage): Promise<void> {
  const before = await service.counted();
  const startedAt = Date.now();
  await outage.before?.(service);
  await outage.begin(service);
  const line = await eventually(
    `a line of status that names ${outage.name}`,
    async () => (await service.problems()).find((problem) => outage.named.test(problem)),
    2 * namedWithinMs,
  );
  const namedMs = Date.now() - startedAt;
  console.log(`${outage.name}: named after ${seconds(namedMs)} s: ${line}`);
  await sleep(Math.max(0, startedAt + outage.seconds * 1000 - Date.now()));
  const endedAt = Date.now();
  await outage.end?.(service);
  await service.becomesHealthy(outage.healthyWithinSeconds * 1000 + Date.now() - endedAt);
  const trades = (await service.counted()) - before;
  console.log(
    `${outage.name}: gone for ${outage.seconds} s, named after ${seconds(namedMs)} s, healthy after ${seconds(Date.now() - endedAt)} s, ${trades} trades counted`,
  );
  expect(namedMs).toBeLessThan(namedWithinMs);
}
