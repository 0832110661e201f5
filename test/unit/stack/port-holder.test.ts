import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { describeHolder, findHolder, parseListeners } from '../../../src/stack/port-holder.js';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (address: string, state: string, inode: number): string =>
  `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000 100 0\n`;

describe('parseListeners', () => {
  it('finds listeners on loopback and on every address, old and new form', () => {
    const text = [
      line('0100007F:2384', '0A', 11),
      line('00000000:2384', '0A', 12),
      line('0000000000000000FFFF00000100007F:2384', '0A', 13),
      line('00000000000000000000000000000000:2384', '0A', 14),
    ];
    expect(parseListeners(head + text.join(''), 9092)).toEqual(['11', '12', '13', '14']);
  });

  it('leaves connections, other ports and other addresses out', () => {
    const text = [
      line('0100007F:2384', '01', 21),
      line('0100007F:2385', '0A', 22),
      line('0200A8C0:2384', '0A', 23),
    ];
    expect(parseListeners(head + text.join(''), 9092)).toEqual([]);
  });
});

describe('findHolder', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  const listen = (): Promise<number> =>
    new Promise((resolve) => {
      server = createServer();
      server.listen(0, '127.0.0.1', () => resolve((server?.address() as { port: number }).port));
    });

  it('names the process that listens', async () => {
    const port = await listen();
    const holder = await findHolder(port);
    expect(holder?.pid).toBe(process.pid);
    expect(describeHolder(holder!)).toMatch(new RegExp(`^pid ${process.pid} \\(.+\\)$`));
  });

  it('finds nobody on a free port', async () => {
    const port = await listen();
    await new Promise((resolve) => server?.close(resolve));
    expect(await findHolder(port)).toBeUndefined();
  });
});
