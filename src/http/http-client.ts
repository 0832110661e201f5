import { Agent } from 'node:http';
import type { Readable } from 'node:stream';
import fetch, { isRedirect, type Response } from 'node-fetch';
import { ProxyAgent, type ProxyAgentOptions } from 'proxy-agent';
import { UnreachableError } from '../core/errors.js';
import { CallAgent } from './call-agent.js';
import { deadlineOf, type Deadline } from './deadline.js';
import { failureReason } from './failure.js';
import type { HttpAnswer, HttpCall, HttpStream } from './http-call.js';
import { proxiesOf, type Environment, type ProxyChoice } from './proxies.js';

/** The HTTP client of all adapters and servers: time and size limits, proxies of the environment, redirects. */
export interface HttpClient {
  /**
   * Calls once.
   * @throws UnreachableError when no whole answer came; an answer of any status is returned.
   */
  call(call: HttpCall): Promise<HttpAnswer>;
  /** As `call`, but `read` takes the body piece by piece; when it returns or throws, the call is over. */
  stream<T>(call: HttpCall, read: (answer: HttpStream) => Promise<T>): Promise<T>;
  /** For a WebSocket: connects directly or through the proxy. */
  readonly agent: Agent;
  /** ` through the proxy http://host:port (HTTPS_PROXY)` for the message of a failed call; empty without a proxy. */
  throughProxy(url: string): string;
}

/** @throws ConfigError when the environment names a proxy that is none. */
export function createHttpClient(environment: Environment): HttpClient {
  const proxyOf = proxiesOf(environment);
  const agents = agentsOf(proxyOf);
  const throughProxy = (url: string): string => {
    const proxy = proxyOf(new URL(url));
    return proxy === undefined ? '' : ` through the proxy ${proxy.label}`;
  };
  const stream: HttpClient['stream'] = (call, read) => streamed({ call, agents, throughProxy }, read);
  return {
    stream,
    call: (call) => stream(call, wholeAnswer),
    agent: agents.once,
    throughProxy,
  };
}

/** For servers on this computer, and wherever no client is given: ignores the environment's proxies. */
export const directHttp: HttpClient = createHttpClient({});

interface Agents {
  /** A connection for one call. */
  readonly once: Agent;
  /** Connections that stay open; they do not keep the process running. */
  readonly kept: { readonly http: Agent; readonly https: Agent };
}

function agentsOf(proxyOf: ProxyChoice): Agents {
  // The address given is made of Host header and path, and is misread where a path begins with two slashes.
  const getProxyForUrl: ProxyAgentOptions['getProxyForUrl'] = (_url, request) =>
    proxyOf(new URL(`${request.protocol}//${String(request.getHeader('host'))}`))?.url ?? '';
  return {
    once: new ProxyAgent({ getProxyForUrl }),
    kept: {
      // Not to a proxy: on a connection that is used again, the library sends the path where the proxy needs the address.
      http: new ProxyAgent({ getProxyForUrl, httpAgent: new Agent({ keepAlive: true }) }),
      https: new ProxyAgent({ getProxyForUrl, keepAlive: true }),
    },
  };
}

async function wholeAnswer({ status, headers, body }: HttpStream): Promise<HttpAnswer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  const bytes = Buffer.concat(parts);
  return {
    status,
    headers,
    bytes,
    get text() {
      return bytes.toString('utf8');
    },
  };
}

interface Attempt {
  readonly call: HttpCall;
  readonly agents: Agents;
  readonly throughProxy: (url: string) => string;
}

async function streamed<T>(attempt: Attempt, read: (answer: HttpStream) => Promise<T>): Promise<T> {
  const deadline = deadlineOf(attempt.call);
  try {
    const response = await followed(attempt, deadline);
    try {
      const { status, headers } = response;
      return await read({ status, headers, body: boundedBody(attempt, response, deadline) });
    } finally {
      discard(response);
    }
  } finally {
    deadline.clear();
  }
}

/** Closes the connection unless the answer was read to its end. */
function discard({ body }: Response): void {
  (body as Readable | null)?.destroy();
}

async function followed(attempt: Attempt, deadline: Deadline): Promise<Response> {
  const { call } = attempt;
  let url = new URL(call.url);
  for (let left = call.maxRedirects ?? 0; ; left--) {
    const response = await sent(attempt, url, deadline);
    // An abort is an 'error' event of the body; without a listener it would end the process when nobody reads any more.
    response.body?.on('error', () => undefined);
    deadline.touch();
    if (left <= 0 || !isFollowed(call, response)) return response;
    discard(response);
    url = targetOf(call, url, response);
  }
}

async function sent(
  { call, agents, throughProxy }: Attempt,
  url: URL,
  deadline: Deadline,
): Promise<Response> {
  const { body, contentType, keepAlive = false, token } = call;
  const isSecure = url.protocol === 'https:';
  const inner = keepAlive ? agents.kept[isSecure ? 'https' : 'http'] : agents.once;
  const callAgent = new CallAgent(inner, { isSecure, keepAlive });
  const isSameHost = url.origin === new URL(call.url).origin;
  try {
    const response = await fetch(url, {
      method: call.method ?? 'GET',
      redirect: 'manual',
      agent: callAgent,
      signal: deadline.signal,
      headers: {
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
        ...(token === undefined || !isSameHost ? {} : { authorization: `Bearer ${token}` }),
        ...call.headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : bufferOf(body) }),
    });
    if (response.status !== 407 || throughProxy(url.href) === '') return response;
    discard(response);
    throw new Error('the proxy asks for a user and password (407)');
  } catch (error) {
    const cause = callAgent.failure ?? error;
    const why = deadline.exceeded() ?? failureReason(cause);
    const what = `${call.system} at ${url.origin} did not answer${throughProxy(url.href)}`;
    throw new UnreachableError(`${what}: ${why}`, { nextStep: call.nextStep, cause });
  }
}

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Of calls with a body only those redirects that keep method and body (RFC 9110, 15.4). */
const isFollowed = ({ method = 'GET' }: HttpCall, { status, headers }: Response): boolean =>
  isRedirect(status) && headers.has('location') && (method === 'GET' || status === 307 || status === 308);

function targetOf(call: HttpCall, from: URL, { headers }: Response): URL {
  const location = headers.get('location') ?? '';
  const what = `${call.system} at ${from.origin} redirects`;
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target === undefined || !/^https?:$/.test(target.protocol))
    throw new UnreachableError(`${what} to an address that cannot be read`, {
      nextStep: call.nextStep,
      retryable: false,
    });
  if (from.protocol === 'https:' && target.protocol === 'http:')
    throw new UnreachableError(`${what} from https to ${target.origin}`, {
      nextStep: call.nextStep,
      retryable: false,
    });
  return target;
}

async function* boundedBody(
  { call, throughProxy }: Attempt,
  response: Response,
  deadline: Deadline,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  try {
    for await (const part of response.body ?? []) {
      deadline.touch();
      length += part.length;
      if (length > call.maxBytes) throw new Error(`it is longer than ${call.maxBytes} bytes`);
      yield part as Buffer;
    }
  } catch (cause) {
    const { origin, href } = new URL(response.url);
    const why = deadline.exceeded() ?? failureReason(cause);
    const what = `${call.system} at ${origin} did not finish its answer${throughProxy(href)}`;
    throw new UnreachableError(`${what}: ${why}`, { nextStep: call.nextStep, cause });
  }
}
