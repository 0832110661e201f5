import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArchiveChoice, Chaos } from '../core/ports/sandbox.js';
import { foreignReason, requestUrl, type ServedHosts } from '../http/admission.js';
import { ApiError, errorBody, type Reply } from './api-error.js';
import type { Market, TimeScale } from './answers.js';
import { endpoints } from './endpoints.js';
import { ArchiveHost } from './archive/archive-host.js';
import { ChaosRunner } from './chaos.js';
import { FaultDesk } from './fault-desk.js';
import { FaultLog } from './fault-log.js';
import type { RequestFault } from './fault.js';
import { replyFor, withBody, withoutRetryAfter } from './fault-replies.js';
import { faultOfOutage, Faults } from './faults.js';
import { Listener } from './listener.js';
import { Params } from './params.js';
import { usualTimes, type StreamTimes } from './stream/connection.js';
import { refuse, StreamServer } from './stream/stream-server.js';
import type { TimedFault } from './timed-fault.js';
import { RequestLimit } from './weights.js';

const NO_SUCH_FILE =
  '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>';
const CLOSE_GRACE_MS = 1_000;
/** Longer than any usual pause between two polls, so that a client never meets a connection that is just closing. */
const KEEP_ALIVE_MS = 75_000;

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly hasRequestLimit: boolean;
  readonly allowedHosts?: readonly string[];
  readonly onBug: (error: unknown) => void;
  /** How long things take on a stream, where not as long as on the exchange. */
  readonly streamTimes?: Partial<StreamTimes>;
  readonly chaos?: Chaos;
  readonly archive?: ArchiveChoice;
}

/** The exchange's REST, stream and archive server over one market, and the address where faults are asked for. */
export class SandboxServer {
  private readonly faults = new Faults();
  private readonly log = new FaultLog();
  private readonly desk = new FaultDesk(this.faults, this.log, (fault) => this.begin(fault));
  private readonly chaos: ChaosRunner | undefined;
  private readonly limit: RequestLimit;
  private readonly stop = new AbortController();
  private readonly server: Server;
  private readonly listener: Listener;
  private readonly market: Market;
  private readonly streams: StreamServer;
  private readonly archive: ArchiveHost;
  private readonly hosts: ServedHosts;
  private closing: Promise<void> | undefined;

  constructor(market: Market, options: ServerOptions) {
    this.market = { ...market, statusOf: (symbol) => this.faults.timed.statusOf(symbol) };
    this.limit = new RequestLimit(options.hasRequestLimit);
    this.server = createServer((request, response) => {
      this.serve(request, response).catch((error: unknown) => {
        if (this.stop.signal.aborted) return;
        options.onBug(error);
        send(response, replyFor(500, undefined, Date.now()));
      });
    });
    this.listener = new Listener(this.server, options);
    this.streams = new StreamServer(this.market, {
      hasRequestLimit: options.hasRequestLimit,
      times: { ...usualTimes, ...options.streamTimes },
      faults: this.faults,
      log: this.log,
    });
    this.archive = new ArchiveHost(market, options.archive ?? { holesPerDay: 0, hasToday: false });
    if (options.chaos !== undefined)
      this.chaos = new ChaosRunner(options.chaos, {
        isWaiting: () => this.faults.hasStream('chaos'),
        inject: (fault) => this.desk.inject(fault, 'chaos'),
      });
    this.hosts = hostsOf(options);
    this.server.on('upgrade', (request, socket, head) => {
      if (foreignReason(request.headers, this.hosts) !== undefined) refuse(socket, 403);
      else this.streams.upgrade(request, socket, head);
    });
    this.server.keepAliveTimeout = KEEP_ALIVE_MS;
  }

  /** Resolves with the address when connections are taken. */
  async listen(): Promise<string> {
    const url = await this.listener.open();
    this.chaos?.start();
    return url;
  }

  /** Answers what is under way for a second, then ends every connection. */
  close(): Promise<void> {
    this.closing ??= new Promise((resolve) => {
      this.stop.abort();
      this.chaos?.stop();
      this.listener.stop();
      this.server.close(() => void this.archive.close().then(resolve, resolve));
      this.streams.close();
      this.server.closeIdleConnections();
      setTimeout(() => {
        this.streams.terminate();
        this.server.closeAllConnections();
      }, CLOSE_GRACE_MS).unref();
    });
    return this.closing;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const foreign = foreignReason(request.headers, this.hosts);
    const url = requestUrl(request.url);
    if (foreign !== undefined || url === undefined) {
      const status = foreign === undefined ? 400 : 403;
      send(response, { status, body: errorBody(-1020, foreign ?? 'This request line has no path.') });
      return;
    }
    const admin = await this.desk.answer(request, url.pathname);
    if (admin !== undefined) {
      send(response, admin);
      return;
    }
    const isArchive = url.pathname.startsWith('/data/');
    const fault = this.meet(url.pathname, isArchive);
    if (fault !== undefined && 'drop' in fault) {
      request.socket.destroy();
      return;
    }
    if (fault !== undefined && 'delayMs' in fault)
      await sleep(fault.delayMs, undefined, { signal: this.stop.signal });
    const endpoint = endpoints.get(url.pathname);
    const { used, refusal } = this.limit.take(endpoint?.weight(url.searchParams) ?? 1, Date.now());
    response.setHeader('x-mbx-used-weight', used);
    response.setHeader('x-mbx-used-weight-1m', used);
    if (fault !== undefined && 'status' in fault) {
      const reply = replyFor(fault.status, fault.retryAfterSeconds, Date.now());
      send(response, fault.header === false ? withoutRetryAfter(reply) : reply);
      return;
    }
    if (isArchive) return this.serveArchive(url.pathname, response);
    if (refusal !== undefined) {
      send(response, refusal);
      return;
    }
    const right = this.answer(request, url);
    send(response, fault !== undefined && 'body' in fault ? withBody(fault.body, right) : right);
  }

  /** Does what a fault with a duration does at its beginning. */
  private begin(fault: TimedFault): void {
    if ('exchange' in fault) this.listener.goneFor(fault.seconds * 1_000, () => this.streams.terminate());
    else if ('stream' in fault) this.streams.terminate();
  }

  /** The fault that meets this request: an outage of REST, else one that waits. */
  private meet(path: string, isArchive: boolean): RequestFault | undefined {
    const outage = isArchive ? undefined : this.faults.timed.meetRest(path);
    if (outage !== undefined) return faultOfOutage(outage.fault.how, outage.until, Date.now());
    const planned = this.faults.take(path);
    if (planned !== undefined) this.log.add({ ...planned, path });
    return planned?.fault;
  }

  private async serveArchive(path: string, response: ServerResponse): Promise<void> {
    const found = await this.archive.find(path);
    if (found === undefined) send(response, { status: 404, body: NO_SUCH_FILE });
    else if ('text' in found) send(response, { status: 200, body: found.text });
    else {
      response.writeHead(200, {
        'content-type': 'application/zip',
        'content-length': (await stat(found.file)).size,
      });
      // A client that goes away in the middle is no bug.
      await pipeline(createReadStream(found.file), response).catch(() => response.destroy());
    }
  }

  private answer(request: IncomingMessage, url: URL): Reply {
    const endpoint = endpoints.get(url.pathname);
    try {
      if (endpoint === undefined) throw new ApiError(-1020, 'This operation is not supported.', 404);
      if (request.method !== 'GET') throw new ApiError(-1020, 'This operation is not supported.', 405);
      const scale = timeScale(request.headers['x-mbx-time-unit']);
      return { status: 200, body: endpoint.answer(new Params(url.searchParams), this.market, scale) };
    } catch (error) {
      if (error instanceof ApiError)
        return { status: error.status, body: errorBody(error.code, error.message) };
      throw error;
    }
  }
}

/** Loopback, the address that it listens on, and the names that were given. */
const hostsOf = ({ allowedHosts = [], host }: ServerOptions): ServedHosts => ({
  names: [...allowedHosts, host.includes(':') ? `[${host}]` : host],
  hasAnyAddress: ['0.0.0.0', '::'].includes(host),
});

/** Times are in ms unless the header asks for µs. */
function timeScale(header: string | string[] | undefined): TimeScale {
  if (header === undefined || header === 'MILLISECOND' || header === 'millisecond') return 1;
  if (header === 'MICROSECOND' || header === 'microsecond') return 1000;
  throw new ApiError(-1194, 'Invalid value for time unit; expected either MICROSECOND or MILLISECOND.');
}

function send(response: ServerResponse, { status, body, retryAfterSeconds, gzip }: Reply): void {
  const bytes = gzip ?? Buffer.from(body);
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds);
  if (gzip !== undefined) response.setHeader('content-encoding', 'gzip');
  response.writeHead(status, {
    'content-type': body.startsWith('<') ? 'text/html' : 'application/json;charset=UTF-8',
    'content-length': bytes.length,
  });
  response.end(bytes);
}
