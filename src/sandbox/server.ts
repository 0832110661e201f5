import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../core/errors.js';
import type { ArchiveChoice, Chaos } from '../core/ports/sandbox.js';
import { foreignReason, requestUrl, type ServedHosts } from '../http/admission.js';
import { ApiError, errorBody, type Reply } from './api-error.js';
import type { Market, TimeScale } from './answers.js';
import { endpoints } from './endpoints.js';
import { ArchiveHost } from './archive/archive-host.js';
import { ChaosRunner } from './chaos.js';
import { FaultDesk } from './fault-desk.js';
import { FaultLog } from './fault-log.js';
import { Faults, replyFor } from './faults.js';
import { Params } from './params.js';
import { usualTimes, type StreamTimes } from './stream/connection.js';
import { refuse, StreamServer } from './stream/stream-server.js';
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
  private readonly desk = new FaultDesk(this.faults, this.log);
  private readonly chaos: ChaosRunner | undefined;
  private readonly limit: RequestLimit;
  private readonly stop = new AbortController();
  private readonly server: Server;
  private readonly streams: StreamServer;
  private readonly archive: ArchiveHost;
  private readonly hosts: ServedHosts;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly market: Market,
    private readonly options: ServerOptions,
  ) {
    this.limit = new RequestLimit(options.hasRequestLimit);
    this.server = createServer((request, response) => {
      this.serve(request, response).catch((error: unknown) => {
        if (this.stop.signal.aborted) return;
        options.onBug(error);
        send(response, replyFor(500, undefined, Date.now()));
      });
    });
    this.streams = new StreamServer(market, {
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
    const { host, port } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.server.listen(port, host, resolve);
    });
    this.chaos?.start();
    const address = this.server.address() as AddressInfo;
    return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
  }

  /** Answers what is under way for a second, then ends every connection. */
  close(): Promise<void> {
    this.closing ??= new Promise((resolve) => {
      this.stop.abort();
      this.chaos?.stop();
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
    const outage = isArchive ? undefined : this.faults.outageAt(Date.now());
    const planned = outage === undefined ? this.faults.take(url.pathname) : undefined;
    if (planned !== undefined) this.log.add({ ...planned, path: url.pathname });
    const fault = planned?.fault;
    if (outage === '503') {
      send(response, replyFor(503, undefined, Date.now()));
      return;
    }
    if (outage === 'drop' || (fault !== undefined && 'drop' in fault)) {
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
      send(response, replyFor(fault.status, fault.retryAfterSeconds, Date.now()));
      return;
    }
    if (isArchive) return this.serveArchive(url.pathname, response);
    if (refusal !== undefined) {
      send(response, refusal);
      return;
    }
    send(response, this.answer(request, url));
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

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ConfigError {
  const why = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be opened (${error.message})`;
  return new ConfigError(`Port ${port} on ${host} ${why}`, {
    nextStep: 'Stop what listens there, or choose another with --port or --port-offset.',
    cause: error,
  });
}

/** Times are in ms unless the header asks for µs. */
function timeScale(header: string | string[] | undefined): TimeScale {
  if (header === undefined || header === 'MILLISECOND' || header === 'millisecond') return 1;
  if (header === 'MICROSECOND' || header === 'microsecond') return 1000;
  throw new ApiError(-1194, 'Invalid value for time unit; expected either MICROSECOND or MILLISECOND.');
}

function send(response: ServerResponse, { status, body, retryAfterSeconds }: Reply): void {
  const bytes = Buffer.from(body);
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds);
  response.writeHead(status, {
    'content-type': body.startsWith('<') ? 'text/html' : 'application/json;charset=UTF-8',
    'content-length': bytes.length,
  });
  response.end(bytes);
}
