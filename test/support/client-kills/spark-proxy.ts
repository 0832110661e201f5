import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Plan, Step } from './plan.js';

/** Stands between the client and a real master, and shows how far each submission has come. */
export interface SparkProxy {
  readonly url: string;
  /** Bodies of the submissions that came whole. */
  readonly posted: readonly string[];
  onStep: (step: Step) => void;
  /** How long the next submission is held, and whether it reaches the master. */
  next: Pick<Plan, 'fate' | 'takesAfterMs' | 'answersAfterMs'> | undefined;
  close(): Promise<void>;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function bodyOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

/** The same request to the real server. */
function forward(target: string, request: IncomingMessage, body: string): Promise<[number, string]> {
  const { method, headers } = request;
  return new Promise((resolve, reject) => {
    send(new URL(request.url ?? '/', target), { method, headers, agent: false }, (answer) => {
      bodyOf(answer).then((text) => resolve([answer.statusCode ?? 0, text]), reject);
    })
      .on('error', reject)
      .end(body);
  });
}

/** `/json/` goes to the master's web page, everything else to its REST server. */
export async function startSparkProxy(urls: {
  readonly restUrl: string;
  readonly uiUrl: string;
}): Promise<SparkProxy> {
  const posted: string[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const path = request.url ?? '/';
    const isPost = path.endsWith('/create');
    if (path === '/json/') proxy.onStep('asked');
    const held = isPost ? proxy.next : undefined;
    if (isPost) {
      proxy.next = undefined;
      posted.push(body);
      proxy.onStep('arrived');
      if (held?.fate === 'never taken') {
        response.destroy();
        return;
      }
      await sleep(held?.takesAfterMs ?? 0);
    }
    const [status, text] = await forward(path === '/json/' ? urls.uiUrl : urls.restUrl, request, body);
    if (isPost) proxy.onStep('taken');
    await sleep(held?.answersAfterMs ?? 0);
    response.writeHead(status).end(text);
    if (isPost) proxy.onStep('answered');
  }
  const server = createServer((request, response) => {
    // A client that was killed in the middle of its request, or a master that has gone: nobody to answer.
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: SparkProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posted,
    onStep: () => undefined,
    next: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}
