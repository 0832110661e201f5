import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { kafkaClient } from '../../../src/adapters/kafka-client.js';
import { hostOfSeed, seedOf } from '../../../src/adapters/kafka-seeds.js';

let server: Server | undefined;
afterEach(() => server?.close());

it.each([
  ['a:9092', 'a:9092', 'a'],
  ['10.0.0.7:9092', '10.0.0.7:9092', '10.0.0.7'],
  ['[::1]:9092', '~~1:9092', '::1'],
  ['[fe80::1:2]:9092', 'fe80~~1~2:9092', 'fe80::1:2'],
])('%s is the seed %s', (broker, seed, host) => {
  expect(seedOf(broker)).toBe(seed);
  expect(hostOfSeed(seed.split(':')[0] ?? '')).toBe(host);
});

it('a broker with an IPv6 address is called at that address', async () => {
  const called = new Promise<string | undefined>((resolve, reject) => {
    server = createServer((socket) => {
      resolve(socket.remoteAddress);
      socket.destroy();
    }).on('error', reject);
  });
  await new Promise<void>((resolve) => server?.listen(0, '::1', resolve));
  const { port } = server?.address() as AddressInfo;
  const options = { brokers: [`[::1]:${port}`], clientId: 'test', topic: 't', cursorTopic: 'c' };
  const admin = (await kafkaClient(options)).admin({ retry: { retries: 0 } });
  // kafkajs tries again for ten seconds after the broker has closed; what is looked for is known at the first call.
  void admin.connect().catch(() => undefined);
  expect(await called).toBe('::1');
});
