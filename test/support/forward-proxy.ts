import {
  createServer,
  request as send,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** A forward proxy on loopback, and what it was asked: `GET http://name/path`, `CONNECT name:port`. */
export interface ForwardProxy {
  readonly url: string;
  readonly port: number;
  readonly requests: string[];
  close(): Promise<void>;
}

interface ForwardProxyOptions {
  /** Which loopback port stands behind a name: the proxy alone resolves it. */
  readonly names: Readonly<Record<string, number>>;
  /** `user:password`; without it everyone may pass. */
  readonly login?: string;
}

/** Takes requests with an absolute address and CONNECT (RFC 9110, section 9.3.6), for the given names alone. */
export async function forwardProxy({ names, login }: ForwardProxyOptions): Promise<ForwardProxy> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
  const refusal = ({ headers }: IncomingMessage, name: string): number | undefined =>
    wanted !== undefined && headers['proxy-authorization'] !== wanted ? 407 : name in names ? undefined : 502;
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const { hostname, pathname, search } = new URL(request.url ?? '');
    const status = refusal(request, hostname);
    if (status !== undefined) response.writeHead(status).end('the proxy refuses');
    else pass(request, response, names[hostname] ?? 0, pathname + search);
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    requests.push(`CONNECT ${request.url}`);
    const name = (request.url ?? '').replace(/:\d+$/, '');
    client.on('error', () => undefined);
    const status = refusal(request, name);
    if (status !== undefined) {
      client.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const target = connect(names[name] ?? 0, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
      client.pipe(target).pipe(client);
    });
    sockets.add(target);
    target.on('error', () => client.destroy());
    client.on('close', () => target.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, requests, close: () => closed(server, sockets) };
}

function pass(request: IncomingMessage, response: ServerResponse, port: number, path: string): void {
  const headers = { ...request.headers };
  delete headers['proxy-connection'];
  delete headers['proxy-authorization'];
  const sent = send({ host: '127.0.0.1', port, path, method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  sent.on('error', () => response.destroy());
  request.pipe(sent);
}

function closed(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}
