import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { parseWish } from '../core/dashboard.js';
import { ConfigError, UsageError } from '../core/errors.js';
import type { PageServer, PageServerOptions, RunningPage } from '../core/ports/dashboard.js';
import { requestUrl } from '../http/admission.js';
import { directHttp } from '../http/http-client.js';
import { pageHeaders, refusalOf } from './admission.js';
import { EventStream } from './event-stream.js';
import { readPageFiles, type PageFile } from './page-files.js';

const host = '127.0.0.1';
const identity = '{"name":"cryptopipe dashboard"}';
/** Files and streams of every page, and some that are only just ending. */
const connectionsEach = 4;

export interface PageServerSettings {
  /** Where the built page lies. */
  readonly folder: string;
  /** Takes secrets out of a text. */
  readonly clean: (text: string) => string;
}

/** The page's server: its files, `/events` and `/healthz`. Nothing that it is sent changes anything. */
export function createPageServer(settings: PageServerSettings): PageServer {
  return {
    start: async (options) =>
      new RunningPageServer(readPageFiles(settings.folder), settings, options).listen(),
    probe: (port, signal) => probe(port, signal),
  };
}

class RunningPageServer implements RunningPage {
  readonly url: string;
  private readonly server: Server;
  private readonly streams = new Set<ServerResponse>();

  constructor(
    private readonly files: ReadonlyMap<string, PageFile>,
    private readonly settings: PageServerSettings,
    private readonly options: PageServerOptions,
  ) {
    this.url = `http://${host}:${options.port}`;
    this.server = createServer((request, response) => this.answer(request, response));
    this.server.maxConnections = options.mostWatchers * connectionsEach;
  }

  async listen(): Promise<RunningPage> {
    const { port } = this.options;
    const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      this.server.once('error', resolve);
      this.server.listen(port, host, () => resolve(undefined));
    });
    if (failure !== undefined) throw await listenError(failure, port);
    return this;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.streams.forEach((stream) => stream.end());
      this.server.closeAllConnections();
    });
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = requestUrl(request.url);
    const path = url?.pathname ?? '';
    for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value);
    const refusal = refusalOf(request, { port: this.options.port, isPage: path === '/' });
    const file = this.files.get(path);
    if (refusal !== undefined) say(response, refusal.status, refusal.reason);
    else if (path === '/healthz') send(response, { type: 'application/json', bytes: Buffer.from(identity) });
    else if (path === '/events' && url !== undefined) this.stream(url, request, response);
    else if (file !== undefined) send(response, file);
    else say(response, 404, 'there is no such page');
  }

  private stream(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const { mostWatchers, watch } = this.options;
    if (request.method === 'HEAD') {
      say(response, 405, 'only GET');
      return;
    }
    if (this.streams.size >= mostWatchers) {
      say(response, 503, `${mostWatchers} pages look already`);
      return;
    }
    try {
      const wish = parseWish(Object.fromEntries(url.searchParams));
      const events = new EventStream(response, this.settings.clean);
      this.streams.add(response);
      const leave = watch(wish, (event) => events.send(event));
      response.on('close', () => {
        this.streams.delete(response);
        leave();
      });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      say(response, 400, error.message);
    }
  }
}

function send(response: ServerResponse, { type, bytes }: PageFile): void {
  response.writeHead(200, { 'content-type': type, 'content-length': bytes.length });
  // The answer to HEAD gets no body: node leaves it out by itself.
  response.end(bytes);
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

/** Whoever holds the port: most often it is the dashboard of the demo. */
async function listenError(failure: NodeJS.ErrnoException, port: number): Promise<ConfigError> {
  if (failure.code !== 'EADDRINUSE')
    return new ConfigError(`Port ${port} on ${host} cannot be opened (${failure.message})`, {
      cause: failure,
    });
  const isOurs = await probe(port, AbortSignal.timeout(1_000)).then(
    () => true,
    () => false,
  );
  return isOurs
    ? new ConfigError(`A dashboard is served at http://${host}:${port} already`, {
        nextStep: 'Open it, or choose another port with --port.',
        cause: failure,
      })
    : new ConfigError(`Port ${port} on ${host} is taken`, {
        nextStep: 'Stop what listens there, or choose another with --port or --port-offset.',
        cause: failure,
      });
}

async function probe(port: number, signal: AbortSignal): Promise<void> {
  const { text } = await directHttp.call({
    ...{ system: 'The dashboard', nextStep: 'Start it with `cryptopipe dashboard`.', signal },
    url: `http://${host}:${port}/healthz`,
    timeoutMs: 10_000,
    maxBytes: 1024,
  });
  if (text !== identity) throw new Error('it is something else');
}
