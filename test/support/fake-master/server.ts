import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeCluster } from './cluster.js';
import { createAnswer, killAnswer, logPage, masterPage, statusAnswer } from './pages.js';
import { replyOf, type Reply, type ReplyFile } from './replies.js';
import { send, type Way } from './ways.js';

export type Endpoint = 'create' | 'status' | 'kill' | 'readyz' | 'json' | 'log';

/** What happens to one request; each part is optional, and without any the fake master does what a real one does. */
export interface Reaction {
  /** A file instead of an answer of its own; the request changes nothing then, unless `takes` says so. */
  readonly reply?: ReplyFile;
  /** Whether the request has its effect; where a file answers it has none. */
  readonly takes?: boolean;
  readonly takesAfterMs?: number;
  readonly answersAfterMs?: number;
  /** How the answer travels. */
  readonly way?: Way;
}

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

/** A Spark standalone master with one worker as far as HTTP shows them: REST 6066, `/json/`, the worker's log page. */
export async function startFakeMaster(): Promise<FakeMaster> {
  const cluster = new FakeCluster();
  const requests: Endpoint[] = [];
  const posted: string[] = [];
  const reactions = new Map<Endpoint, { readonly reaction: Reaction; times: number }[]>();

  const reactionTo = (endpoint: Endpoint): Reaction => {
    const queue = reactions.get(endpoint) ?? [];
    const first = queue[0];
    if (first === undefined) return {};
    first.times -= 1;
    if (first.times <= 0) queue.shift();
    return first.reaction;
  };
  const ownAnswer = (endpoint: Endpoint, url: URL, body: string): Reply => {
    const id = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
    switch (endpoint) {
      case 'create':
        return { status: 200, text: createAnswer(cluster, body) };
      case 'status':
        return { status: 200, text: statusAnswer(cluster, id) };
      case 'kill':
        return { status: 200, text: killAnswer(cluster, id) };
      case 'readyz':
        return replyOf(cluster.status === 'STANDBY' ? 'readyz-standby.json' : 'readyz.json', master.url);
      case 'json':
        return { status: 200, text: masterPage(cluster, master.url) };
      case 'log':
        return { status: 200, text: logPage(cluster, url.searchParams) };
    }
  };
  const answerTo = async (endpoint: Endpoint, url: URL, body: string, reaction: Reaction): Promise<Reply> => {
    const { reply, takes = reply === undefined } = reaction;
    if (reaction.takesAfterMs !== undefined) await sleep(reaction.takesAfterMs);
    const own = takes ? ownAnswer(endpoint, url, body) : undefined;
    if (endpoint === 'create' && takes) master.onStep('taken');
    if (reaction.answersAfterMs !== undefined) await sleep(reaction.answersAfterMs);
    if (reply !== undefined) return replyOf(reply, master.url);
    return own ?? replyOf('create-ok.json', master.url);
  };

  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake-master');
    const endpoint = endpoints.find(([path]) => path.test(url.pathname))?.[1];
    if (endpoint === undefined) {
      send(response, replyOf('not-found.html', master.url));
      return;
    }
    requests.push(endpoint);
    master.onRequest(endpoint);
    void (async () => {
      const reaction = reactionTo(endpoint);
      const body = await bodyOf(request);
      // A client that died in the middle of its request has asked for nothing.
      if (body === undefined) return;
      if (endpoint === 'create') {
        posted.push(body);
        master.onStep('arrived');
      }
      send(response, await answerTo(endpoint, url, body, reaction), reaction.way);
      if (endpoint === 'create' && reaction.way === undefined) master.onStep('answered');
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const master: FakeMaster = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ cluster, requests, posted },
    react: (endpoint, reaction, times = Infinity) => {
      reactions.set(endpoint, [...(reactions.get(endpoint) ?? []), { reaction, times }]);
    },
    calm: (endpoint) => {
      reactions.delete(endpoint);
    },
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
