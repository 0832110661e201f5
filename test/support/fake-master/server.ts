import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeCluster } from './cluster.js';
import { createAnswer, killAnswer, logPage, masterPage, statusAnswer } from './pages.js';
import { Reactions, type Endpoint, type Reaction } from './reactions.js';
import { replyOf, type Reply } from './replies.js';
import { send } from './ways.js';

/** What a submission has come to, in this order. */
export type Step = 'arrived' | 'taken' | 'answered';

export interface FakeMaster {
  readonly url: string;
  readonly cluster: FakeCluster;
  /** `endpoint` of every request, in the order of their coming. */
  readonly requests: readonly Endpoint[];
  /** The bodies of all submissions that came whole, those that were not taken too. */
  readonly posted: readonly string[];
  /** What the next request of an endpoint meets; without a number for good. */
  react(endpoint: Endpoint, reaction: Reaction, times?: number): void;
  /** Takes back what later requests of an endpoint would have met. */
  calm(endpoint: Endpoint): void;
  /** Called at each step of each submission. */
  onStep: (step: Step) => void;
  onRequest: (endpoint: Endpoint) => void;
  close(): Promise<void>;
}

const endpoints: readonly (readonly [RegExp, Endpoint])[] = [
  [/^\/v1\/submissions\/create$/, 'create'],
  [/^\/v1\/submissions\/status\//, 'status'],
  [/^\/v1\/submissions\/kill\//, 'kill'],
  [/^\/v1\/submissions\/readyz$/, 'readyz'],
  [/^\/json\/$/, 'json'],
  [/^\/log\/$/, 'log'],
];

const urlOf = (request: IncomingMessage): URL => new URL(request.url ?? '/', 'http://fake-master');

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) parts.push(part as Buffer);
  } catch {
    return undefined;
  }
  return request.complete ? Buffer.concat(parts).toString('utf8') : undefined;
}

/** What a real master says to the same request. */
function ownAnswer(
  cluster: FakeCluster,
  endpoint: Endpoint,
  url: URL,
  body: string,
  masterUrl: string,
): Reply {
  const id = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
  switch (endpoint) {
    case 'create':
      return { status: 200, text: createAnswer(cluster, body) };
    case 'status':
      return { status: 200, text: statusAnswer(cluster, id) };
    case 'kill':
      return { status: 200, text: killAnswer(cluster, id) };
    case 'readyz':
      return replyOf(cluster.status === 'STANDBY' ? 'readyz-standby.json' : 'readyz.json', masterUrl);
    case 'json':
      return { status: 200, text: masterPage(cluster, masterUrl) };
    case 'log':
      return { status: 200, text: logPage(cluster, url.searchParams) };
  }
}

/** A Spark standalone master with one worker as far as HTTP shows them: REST 6066, `/json/`, the worker's log page. */
export async function startFakeMaster(): Promise<FakeMaster> {
  const cluster = new FakeCluster();
  const requests: Endpoint[] = [];
  const posted: string[] = [];
  const reactions = new Reactions();

  async function answerTo(endpoint: Endpoint, url: URL, body: string, reaction: Reaction): Promise<Reply> {
    const { reply, takes = reply === undefined, takesAfterMs, answersAfterMs } = reaction;
    if (takesAfterMs !== undefined) await sleep(takesAfterMs);
    const own = takes ? ownAnswer(cluster, endpoint, url, body, master.url) : undefined;
    if (endpoint === 'create' && takes) master.onStep('taken');
    if (answersAfterMs !== undefined) await sleep(answersAfterMs);
    return reply === undefined && own !== undefined ? own : replyOf(reply ?? 'create-ok.json', master.url);
  }

  async function serve(
    endpoint: Endpoint,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    requests.push(endpoint);
    master.onRequest(endpoint);
    const reaction = reactions.next(endpoint);
    const body = await bodyOf(request);
    // A client that died in the middle of its request has asked for nothing.
    if (body === undefined) return;
    if (endpoint === 'create') {
      posted.push(body);
      master.onStep('arrived');
    }
    const url = urlOf(request);
    send(response, await answerTo(endpoint, url, body, reaction), reaction.way);
    if (endpoint === 'create' && reaction.way === undefined) master.onStep('answered');
  }

  const server = createServer((request, response) => {
    const endpoint = endpoints.find(([path]) => path.test(urlOf(request).pathname))?.[1];
    if (endpoint === undefined) send(response, replyOf('not-found.html', master.url));
    else void serve(endpoint, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const master: FakeMaster = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ cluster, requests, posted },
    react: (endpoint, reaction, times = Infinity) => reactions.add(endpoint, reaction, times),
    calm: (endpoint) => reactions.clear(endpoint),
    onStep: () => undefined,
    onRequest: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return master;
}
