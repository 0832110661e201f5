import { lowerCase } from '../../core/symbol.js';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { requestUrl } from '../../http/admission.js';
import type { Market } from '../answers.js';
import type { FaultLog, MetTrade } from '../fault-log.js';
import type { Faults } from '../faults.js';
import { Connection, type StreamTimes } from './connection.js';
import { RollingLimit } from './rolling-limit.js';
import { parseTarget, tradedSymbol, type StreamTarget } from './stream-names.js';
import { TradePump } from './trade-pump.js';

const LARGEST_MESSAGE = 256_000;
const CONNECTS = { most: 300, spanMs: 300_000 };

/** The exchange's WebSocket streams over one market. Nothing is replayed: a connection gets what comes after it asked. */
export class StreamServer {
  private readonly sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: LARGEST_MESSAGE,
    autoPong: false,
  });
  /** Oldest first, with their numbers. */
  private readonly connections = new Map<Connection, number>();
  private opened = 0;
  private readonly connects = new RollingLimit(CONNECTS.most, CONNECTS.spanMs);
  private readonly pump: TradePump;
  private ticking: NodeJS.Timeout | undefined;

  constructor(
    private readonly market: Market,
    private readonly options: {
      readonly times: StreamTimes;
      readonly hasRequestLimit: boolean;
      readonly faults: Faults;
      readonly log: FaultLog;
    },
  ) {
    this.pump = new TradePump(market);
  }

  /** Takes over a request to become a WebSocket, or refuses it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const url = requestUrl(request.url);
    const target = url && parseTarget(url);
    const outage = this.options.faults.timed.meetStream(url?.pathname ?? '');
    if (outage !== undefined) {
      if (outage === 'drop') socket.destroy();
      else refuse(socket, Number(outage));
      return;
    }
    const isTooMany = this.options.hasRequestLimit && !this.connects.take(Date.now());
    if (isTooMany) refuse(socket, 429);
    else if (target === undefined) refuse(socket, 404);
    else this.sockets.handleUpgrade(request, socket, head, (client) => this.open(client, target));
  }

  /** Tells every client with `serverShutdown`, then ends the connections. */
  close(): void {
    clearInterval(this.ticking);
    for (const connection of this.connections.keys()) connection.shutDown(0);
  }

  terminate(): void {
    for (const connection of this.connections.keys()) connection.terminate();
  }

  private open(client: WebSocket, target: StreamTarget): void {
    this.change();
    const connection = new Connection(client, target, {
      times: this.options.times,
      now: () => this.market.clock.now(),
      onChange: () => this.change(),
    });
    this.opened += 1;
    this.connections.set(connection, this.opened);
    client.on('close', () => {
      this.connections.delete(connection);
      this.change();
    });
    this.change();
  }

  /** Sends what is due, then looks which symbols are wanted from now on. */
  private change(): void {
    this.sendDue();
    this.followWanted();
  }

  private sendDue(): void {
    this.disturb();
    for (const due of this.pump.take()) {
      const stream = `${lowerCase(due.symbol)}@aggTrade`;
      for (const connection of this.connections.keys())
        if (connection.has(stream)) connection.deliver(stream, due);
    }
  }

  /** Gives each fault that waits to the oldest connection that can take it. */
  private disturb(): void {
    const { faults, log } = this.options;
    while (faults.hasStream()) {
      const target = [...this.connections].find(([connection]) => connection.isFree);
      const planned = target === undefined ? undefined : faults.takeStream();
      if (target === undefined || planned === undefined) return;
      const trades: MetTrade[] = [];
      log.add({ ...planned, connection: target[1], trades });
      target[0].suffer(planned.fault, trades);
    }
  }

  private followWanted(): void {
    const wanted = new Set<string>();
    for (const connection of this.connections.keys())
      for (const stream of connection.list()) wanted.add(tradedSymbol(stream) ?? '');
    this.pump.followOnly(wanted);
    if (this.connections.size === 0) {
      clearInterval(this.ticking);
      this.ticking = undefined;
    } else this.ticking ??= setInterval(() => this.sendDue(), this.options.times.tickMs);
  }
}

/** Answers a request to become a WebSocket with a status, and closes the connection. */
export function refuse(socket: Duplex, status: number): void {
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}
