import { setTimeout as sleep } from 'node:timers/promises';
import type { RawData, WebSocket } from 'ws';
import { UnreachableError } from '../core/errors.js';
import { lowerCase } from '../core/symbol.js';
import type { MarketStream, StreamConnection, StreamEnd } from '../core/ports/market-stream.js';
import type { Tick } from '../core/tick.js';
import { parseAggTrade } from '../core/trade.js';
import { failureReason } from '../http/failure.js';
import { directHttp, type HttpClient } from '../http/http-client.js';

/** Times in ms; all but the address have defaults. */
export interface StreamOptions {
  /** `wss://host[:port]`, without a path. */
  readonly baseUrl: string;
  readonly connectTimeoutMs?: number;
  /** The exchange pings every 20 s: a connection on which so long nothing comes is dead. */
  readonly staleMs?: number;
  /** The exchange cuts a connection after 24 hours; it is replaced a little before. */
  readonly longestMs?: number;
  readonly http?: HttpClient;
}

/** As documented: 1,024 streams on a connection, 5 messages of ours in a second (a pong counts too). */
const mostSymbols = 1024;
const streamsPerMessage = 256;
const messageIntervalMs = 300;
const closeTimeoutMs = 2000;

/**
 * Binance's market streams: `<symbol>@aggTrade` of many symbols on one combined connection. Pings are answered by the library.
 * @see https://github.com/binance/binance-spot-api-docs/blob/master/web-socket-streams.md
 */
export function binanceStream(options: StreamOptions): MarketStream {
  const full = {
    connectTimeoutMs: 10_000,
    staleMs: 30_000,
    longestMs: 23.5 * 3_600_000,
    http: directHttp,
    ...options,
  };
  return {
    mostSymbols,
    connect: async (symbols, onTick, signal) => {
      const socket = await opened(full, signal);
      const connection = connectionOf(socket, full, onTick);
      const onAbort = (): void => connection.close('stopped');
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await subscribe(socket, symbols, signal);
      } catch (error) {
        connection.close('not subscribed');
        throw unreachable(full, error);
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
      return connection;
    },
  };
}

async function opened(
  { baseUrl, connectTimeoutMs, http }: Required<StreamOptions>,
  signal: AbortSignal,
): Promise<WebSocket> {
  // Loaded on first use: most commands need none.
  const ws = await import('ws');
  const socket = new ws.WebSocket(`${baseUrl}/stream`, {
    handshakeTimeout: connectTimeoutMs,
    perMessageDeflate: false,
    agent: http.agent,
  });
  const onAbort = (): void => socket.terminate();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return socket;
  } catch (error) {
    socket.on('error', () => undefined);
    throw unreachable({ baseUrl, http }, error);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** In few messages, spread out: a burst of them is answered by a cut. */
async function subscribe(socket: WebSocket, symbols: readonly string[], signal: AbortSignal): Promise<void> {
  for (let first = 0, id = 1; first < symbols.length; first += streamsPerMessage, id++) {
    if (first > 0) await sleep(messageIntervalMs, undefined, { signal });
    const params = symbols
      .slice(first, first + streamsPerMessage)
      .map((symbol) => `${lowerCase(symbol)}@aggTrade`);
    const answer = answerTo(socket, id);
    socket.send(JSON.stringify({ method: 'SUBSCRIBE', params, id }));
    await answer;
  }
}

function answerTo(socket: WebSocket, id: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error): void => {
      clearTimeout(timer);
      socket.off('message', onMessage);
      socket.off('close', onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const timer = setTimeout(() => end(new Error('the subscription was not answered within 10 s')), 10_000);
    const onClose = (code: number): void => end(new Error(`it closed the connection with ${code}`));
    const onMessage = (data: RawData): void => {
      const message = messageOf(data);
      if (message?.['id'] !== id && message?.['error'] === undefined) return;
      end(message['error'] === undefined ? undefined : new Error(JSON.stringify(message['error'])));
    };
    socket.on('message', onMessage);
    socket.on('close', onClose);
  });
}

function connectionOf(
  socket: WebSocket,
  { staleMs, longestMs }: Required<StreamOptions>,
  onTick: (tick: Tick) => void,
): StreamConnection {
  let end: (end: StreamEnd) => void = () => undefined;
  const over = new Promise<StreamEnd>((resolve) => (end = resolve));
  const close = (why: string): void => {
    end({ why, isClosed: true });
    socket.close(1000);
    // A peer that is gone answers no goodbye.
    setTimeout(() => socket.terminate(), closeTimeoutMs).unref();
  };
  const stale = setTimeout(() => {
    end({ why: `silent for ${staleMs / 1000} s`, isClosed: true });
    socket.terminate();
  }, staleMs);
  const old = setTimeout(() => end({ why: 'it is nearly a day old', isClosed: false }), longestMs);
  socket.on('error', (error) => end({ why: error.message, isClosed: true }));
  socket.on('ping', () => stale.refresh());
  socket.on('message', (data) => {
    stale.refresh();
    const payload = payloadOf(data);
    if (payload?.['e'] === 'aggTrade') deliver(payload, onTick);
    else if (payload?.['e'] === 'serverShutdown') end({ why: 'the exchange shuts down', isClosed: false });
  });
  const closed = new Promise<void>((resolve) => {
    socket.once('close', (code) => {
      clearTimeout(stale);
      clearTimeout(old);
      end({ why: `closed with ${code}`, isClosed: true });
      resolve();
    });
  });
  return { over, closed, close };
}

/** What cannot be read is as good as lost: its id is missing then, and is fetched. */
function deliver(payload: Readonly<Record<string, unknown>>, onTick: (tick: Tick) => void): void {
  const { s } = payload;
  if (typeof s !== 'string') return;
  const { tick } = parseAggTrade(s, payload);
  if (tick !== undefined) onTick(tick);
}

function messageOf(data: RawData): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse((data as Buffer).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Without the wrapper of a combined stream. */
function payloadOf(data: RawData): Record<string, unknown> | undefined {
  const message = messageOf(data);
  const inner = message?.['data'];
  return typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : message;
}

const unreachable = (
  { baseUrl, http }: Pick<Required<StreamOptions>, 'baseUrl' | 'http'>,
  error: unknown,
): UnreachableError =>
  new UnreachableError(
    `The stream at ${baseUrl} did not open${http.throughProxy(baseUrl)}: ${failureReason(error)}`,
    {
      nextStep: 'Check the network and CRYPTO_STREAM_URL, or use `--feed poll`.',
      cause: error,
    },
  );
