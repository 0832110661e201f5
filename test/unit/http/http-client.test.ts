import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';
import { execa } from 'execa';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { UnreachableError } from '../../../src/core/errors.js';
import { wasNeverSent } from '../../../src/http/failure.js';
import type { HttpAnswer, HttpCall } from '../../../src/http/http-call.js';
import { createHttpClient, directHttp } from '../../../src/http/http-client.js';
import { forwardProxy } from '../../support/forward-proxy.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function urlOf(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serve = (answer: RequestListener): Promise<string> => urlOf(createHttpServer(answer));

/** Answers each connection with these bytes. */
const serveRaw = (answer: (socket: Socket) => void): Promise<string> =>
  urlOf(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => answer(socket));
    }),
  );

const callOf = (url: string, more: Partial<HttpCall> = {}): HttpCall => ({
  ...{ system: 'The server', nextStep: 'Start it.', timeoutMs: 10_000, maxBytes: 1_000_000 },
  url,
  ...more,
});
const call = (url: string, more?: Partial<HttpCall>): Promise<HttpAnswer> =>
  directHttp.call(callOf(url, more));
const failureOf = (tried: Promise<unknown>): Promise<unknown> =>
  tried.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a call', () => {
  it('sends method, headers, token and body, and gives status, headers and body', async () => {
    const url = await serve((request, response) => {
      const { authorization, 'content-type': type, 'content-length': length } = request.headers;
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        response.writeHead(418, { 'x-used': '7' });
        response.end(JSON.stringify([request.method, authorization, type, length, body]));
      });
    });
    const answer = await call(url, {
      ...{ method: 'PUT', contentType: 'application/x-test', token: 'a.b.c' },
      body: new TextEncoder().encode('xxbodyxx').subarray(2, 6),
    });
    expect([answer.status, answer.headers.get('X-Used')]).toEqual([418, '7']);
    expect(JSON.parse(answer.text)).toEqual(['PUT', 'Bearer a.b.c', 'application/x-test', '4', 'body']);
    expect(answer.bytes).toEqual(Buffer.from(answer.text));
  });

  it('takes the `100 Continue` that a DataNode of HDFS sends unasked', async () => {
    const url = await serveRaw((socket) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      socket.end('HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
    });
    expect(await call(url, { method: 'PUT', body: 'x' })).toMatchObject({ status: 201, text: 'ok' });
  });

  it('uses a connection again when it may, and a new one each time otherwise', async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('ok');
    });
    for (let i = 0; i < 3; i++) await call(url, { keepAlive: true });
    expect(ports.size).toBe(1);
    for (let i = 0; i < 3; i++) await call(url);
    expect(ports.size).toBe(4);
  });
});

describe('an answer that is too long', () => {
  it('is given up at its limit after decompression', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      const gzip = createGzip();
      gzip.pipe(response);
      const spaces = Buffer.alloc(1024 * 1024, ' ');
      for (let i = 0; i < 50; i++) gzip.write(spaces);
      gzip.end();
    });
    let bytes = 0;
    const reading = directHttp.stream(callOf(url), async ({ body }) => {
      for await (const part of body) bytes += part.length;
    });
    await expect(reading).rejects.toThrow(/did not finish its answer: it is longer than 1000000 bytes$/);
    expect(bytes).toBeLessThanOrEqual(1_000_000);
    await expect(call(url)).rejects.toThrow(UnreachableError);
  });

  it('passes with exactly as many bytes', async () => {
    const url = await serve((_request, response) => response.end('x'.repeat(1000)));
    expect((await call(url, { maxBytes: 1000 })).text).toHaveLength(1000);
    await expect(call(url, { maxBytes: 999 })).rejects.toThrow('longer than 999 bytes');
  });
});

describe('an answer that does not come', () => {
  it('is given up after the time of the whole call, however steadily bytes come', async () => {
    const url = await serve((_request, response) => {
      const drip = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(drip));
    });
    await expect(call(url, { timeoutMs: 500, silenceMs: 5000 })).rejects.toThrow(
      /did not finish its answer: it took more than 500 ms$/,
    );
  });

  it('is given up after a silence', async () => {
    const url = await serve((_request, response) => {
      response.write('x');
    });
    await expect(call(url, { silenceMs: 50 })).rejects.toThrow(
      /did not finish its answer: nothing came for 0.05 s$/,
    );
  });

  it('ends with the signal of the caller', async () => {
    const stop = new AbortController();
    const url = await serve(() => stop.abort());
    const error = await failureOf(call(url, { signal: stop.signal }));
    expect(error).toBeInstanceOf(UnreachableError);
    expect(wasNeverSent(error)).toBe(false);
  });

  it('that broke off is an error, with a length and in chunks', async () => {
    const cut = await serveRaw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
    await expect(call(cut)).rejects.toThrow(/did not finish its answer: ECONNRESET/);
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n';
    const open = await serveRaw((socket) => socket.end(chunked));
    await expect(call(open)).rejects.toThrow(
      /did not finish its answer: (ECONNRESET|ERR_STREAM_PREMATURE_CLOSE)/,
    );
  });

  it('leaves nothing behind that ends the process later', async () => {
    const stop = new AbortController();
    const url = await serve((_request, response) => {
      response.write('x'.repeat(100_000));
    });
    const status = await directHttp.stream(callOf(url, { signal: stop.signal }), (answer) =>
      Promise.resolve(answer.status),
    );
    stop.abort();
    await new Promise((resolve) => setImmediate(resolve));
    expect(status).toBe(200);
  });
});

describe('whether a request was sent', () => {
  it.each([
    ['no name', 'http://nowhere.invalid/', true],
    ['no listener', 'http://127.0.0.1:1/', true],
    ['no listener at either address of a name', 'http://localhost:1/', true],
  ])('%s', async (_what, url, expected) => {
    const error = await failureOf(call(url, { method: 'POST', body: 'x' }));
    expect(error).toBeInstanceOf(UnreachableError);
    expect(wasNeverSent(error)).toBe(expected);
  });

  it('is not known after a reset', async () => {
    const url = await serveRaw((socket) => socket.resetAndDestroy());
    expect(wasNeverSent(await failureOf(call(url, { method: 'POST', body: 'x' })))).toBe(false);
  });
});

describe('a redirect', () => {
  it('is an answer where the caller follows it', async () => {
    const url = await serve((_request, response) => response.writeHead(307, { location: '/other' }).end());
    const answer = await call(url, { method: 'PUT', body: 'x' });
    expect([answer.status, answer.headers.get('location')]).toEqual([307, '/other']);
  });

  it('is followed as often as allowed, with method and body where it keeps them', async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      const left = Number(request.url?.slice(1));
      if (left > 0) response.writeHead(307, { location: `/${left - 1}` }).end();
      else request.pipe(response);
    });
    expect(await call(`${url}/2`, { method: 'PUT', body: 'body', maxRedirects: 2 })).toMatchObject({
      text: 'body',
    });
    expect(seen).toEqual(['PUT /2', 'PUT /1', 'PUT /0']);
    expect((await call(`${url}/3`, { maxRedirects: 2 })).status).toBe(307);
  });

  it('of another kind is not followed with a body', async () => {
    const url = await serve((_request, response) => response.writeHead(302, { location: '/other' }).end());
    expect((await call(url, { method: 'POST', body: 'x', maxRedirects: 2 })).status).toBe(302);
  });

  it('carries no token to another host', async () => {
    const other = await serve((request, response) => response.end(request.headers.authorization ?? 'none'));
    const url = await serve((_request, response) => response.writeHead(302, { location: other }).end());
    expect((await call(url, { token: 'a.b.c', maxRedirects: 1 })).text).toBe('none');
  });

  it.each(['ftp://a.test/', 'http://[', 'data:text/plain,x', 'file:///etc/passwd'])(
    'to %s is refused',
    async (location) => {
      const url = await serve((_request, response) => response.writeHead(302, { location }).end());
      await expect(call(url, { maxRedirects: 1 })).rejects.toMatchObject({
        message: expect.stringContaining('redirects to an address that cannot be read') as string,
        retryable: false,
      });
    },
  );
});

describe('a redirect from https to http', () => {
  it('is refused, with both addresses', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cryptopipe-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...names];
    await execa('openssl', [...request, '-keyout', key, '-out', cert]);
    const plain = await serve((_request, response) => response.end('overheard'));
    const secure = createSecureServer(
      { key: readFileSync(key), cert: readFileSync(cert) },
      (_request, response) => response.writeHead(302, { location: plain }).end(),
    );
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    // The certificate signs itself; what is tested is where the client goes after it.
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    try {
      expect((await call(url)).status).toBe(302);
      await expect(call(url, { maxRedirects: 1 })).rejects.toMatchObject({
        message: expect.stringContaining(`at ${url} redirects from https to ${plain}`) as string,
        retryable: false,
      });
    } finally {
      vi.unstubAllEnvs();
      secure.close();
      rmSync(folder, { recursive: true });
    }
  });
});

describe('through a proxy', () => {
  it('goes with the name that the proxy alone resolves, call after call', async () => {
    const url = await serve((request, response) => response.end(`${request.headers.host} ${request.url}`));
    const proxy = await forwardProxy({ names: { 'exchange.test': Number(new URL(url).port) } });
    closers.push(() => proxy.close());
    const http = createHttpClient({ HTTP_PROXY: proxy.url });
    for (const path of ['/a?b=1', '/c'])
      expect((await http.call(callOf(`http://exchange.test${path}`, { keepAlive: true }))).text).toBe(
        `exchange.test ${path}`,
      );
    expect(proxy.requests).toEqual(['GET http://exchange.test/a?b=1', 'GET http://exchange.test/c']);
    expect((await http.call(callOf(`${url}/direct`))).text).toContain('/direct');
    expect(proxy.requests).toHaveLength(2);
  });

  it('gives user and password of the variable to the proxy', async () => {
    const url = await serve((request, response) =>
      response.end(request.headers['proxy-authorization'] ?? 'none'),
    );
    const proxy = await forwardProxy({
      names: { 'exchange.test': Number(new URL(url).port) },
      login: 'me:s@cret',
    });
    closers.push(() => proxy.close());
    const through = (login: string): Promise<HttpAnswer> =>
      createHttpClient({ ALL_PROXY: `http://${login}127.0.0.1:${proxy.port}` }).call(
        callOf('http://exchange.test/'),
      );
    expect((await through('me:s%40cret@')).text).toBe('none');
    const refused = await failureOf(through(''));
    expect(String(refused)).toContain(
      `did not answer through the proxy http://127.0.0.1:${proxy.port} (ALL_PROXY): the proxy asks for a user and password (407)`,
    );
  });

  it.each([
    ['that refuses the connection', 502],
    ['that asks for a login', 407],
  ])('%s is an error that names it, not an answer of the server', async (_what, status) => {
    const proxy = await forwardProxy({ names: {}, ...(status === 407 ? { login: 'a:b' } : {}) });
    closers.push(() => proxy.close());
    const error = await failureOf(
      createHttpClient({ HTTPS_PROXY: proxy.url }).call(callOf('https://exchange.test/')),
    );
    expect(proxy.requests).toEqual(['CONNECT exchange.test:443']);
    expect(String(error)).toContain(
      `The server at https://exchange.test did not answer through the proxy ${proxy.url} (HTTPS_PROXY): the proxy refused the connection (${status})`,
    );
    expect(wasNeverSent(error)).toBe(false);
  });

  it('that does not listen is an error that names it, and nothing was sent', async () => {
    const http = createHttpClient({ all_proxy: 'http://127.0.0.1:1' });
    for (const url of ['http://exchange.test/', 'https://exchange.test/']) {
      const error = await failureOf(http.call(callOf(url, { method: 'POST', body: 'x' })));
      expect(String(error)).toContain('through the proxy http://127.0.0.1:1 (all_proxy): ECONNREFUSED');
      expect(wasNeverSent(error)).toBe(true);
    }
  });
});
