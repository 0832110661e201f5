import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { aSandbox, get, stopSandboxes } from '../support/sandbox.js';

afterEach(stopSandboxes);

/** The status that answers these lines; undefined where the connection is closed without one. */
function statusOf(url: string, lines: readonly string[]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
      socket.write(`${lines.join('\r\n')}\r\n\r\n`),
    );
    let text = '';
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1');
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const status = /^HTTP\/1.1 (\d+)/.exec(text)?.[1];
      resolve(status === undefined ? undefined : Number(status));
    });
  });
}

const upgrade = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];

describe('a request line that cannot be read', () => {
  it.each(['//', '*', 'http://', '/%', '//x:y', 'x:y', '/ws/%ff', '/%2e%2e//\\', 'data:,x'])(
    'is refused and ends nothing: %s',
    async (target) => {
      const { url } = await aSandbox();
      const own = `Host: ${new URL(url).host}`;
      const plain = await statusOf(url, [`GET ${target} HTTP/1.1`, own, 'Connection: close']);
      const stream = await statusOf(url, [`GET ${target} HTTP/1.1`, own, ...upgrade]);
      expect([plain, stream].every((status) => status !== undefined && status >= 400 && status < 500)).toBe(
        true,
      );
      expect((await get(url, '/api/v3/ping')).status).toBe(200);
    },
  );
});

describe('a request from elsewhere', () => {
  const isForeign: [string, (host: string) => string[]][] = [
    ['a name of another site', () => ['Host: evil.example:8090']],
    ['no name', () => ['Host:']],
    ['a page of another site', (host) => [`Host: ${host}`, 'Origin: http://evil.example']],
    ['a page without an origin', (host) => [`Host: ${host}`, 'Origin: null']],
    ['a page of another site that names none', (host) => [`Host: ${host}`, 'Sec-Fetch-Site: cross-site']],
  ];

  it.each(isForeign)('orders no fault, gets no answer and no stream: %s', async (_what, headers) => {
    const { url } = await aSandbox();
    const { host } = new URL(url);
    const body = '{"drop":true}';
    const order = [
      'POST /sandbox/faults HTTP/1.1',
      ...headers(host),
      `Content-Length: ${body.length}`,
      '',
      body,
    ];
    expect(await statusOf(url, order)).toBe(403);
    expect(await statusOf(url, ['GET /api/v3/time HTTP/1.1', ...headers(host)])).toBe(403);
    expect(await statusOf(url, ['GET /ws HTTP/1.1', ...headers(host), ...upgrade])).toBe(403);
    expect((await get(url, '/sandbox/faults')).text).toBe('[]');
  });

  it('passes from a page of its own, and under a name that was given', async () => {
    const { url } = await aSandbox({ allowedHosts: ['sandbox'] });
    const { host } = new URL(url);
    const ask = (headers: readonly string[]) => statusOf(url, ['GET /api/v3/ping HTTP/1.1', ...headers]);
    expect(await ask([`Host: ${host}`, `Origin: http://${host}`])).toBe(200);
    expect(await ask(['Host: localhost:1'])).toBe(200);
    expect(await ask(['Host: sandbox:8090'])).toBe(200);
    expect(await ask(['Host: 192.168.1.5:8090'])).toBe(403);
    expect(await statusOf(url, ['GET /ws HTTP/1.1', 'Host: SANDBOX', ...upgrade])).toBe(101);
  });
});
