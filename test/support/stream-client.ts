import { once } from 'node:events';
import WebSocket from 'ws';

/** A client that keeps every message, and how it was closed. */
export interface StreamClient {
  readonly socket: WebSocket;
  readonly messages: string[];
  readonly pings: string[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  /** Waits for messages that pass. */
  collect<T>(count: number, pass: (message: T) => boolean): Promise<T[]>;
  /** Sends a control message and waits for the answer with its id. */
  ask(message: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/** An aggregate trade as a raw stream carries it. */
export interface StreamTrade {
  readonly e: string;
  readonly E: number;
  readonly s: string;
  readonly a: number;
  readonly p: string;
  readonly q: string;
  readonly f: number;
  readonly l: number;
  readonly T: number;
  readonly m: boolean;
  readonly M: boolean;
}

const opened: WebSocket[] = [];
const PATIENCE_MS = 20_000;

/** Connects to a path of a server; `closeClients` ends all. */
export async function aClient(base: string, path: string, autoPong = true): Promise<StreamClient> {
  const socket = new WebSocket(`${base.replace('http', 'ws')}${path}`, { autoPong, handshakeTimeout: 5_000 });
  opened.push(socket);
  const [messages, pings]: [string[], string[]] = [[], []];
  socket.on('message', (data: Buffer) => messages.push(data.toString('utf8')));
  socket.on('ping', (data: Buffer) => pings.push(data.toString('utf8')));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }));
  });
  await once(socket, 'open');
  const collect = async <T>(count: number, pass: (message: T) => boolean): Promise<T[]> => {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = messages.map((text) => JSON.parse(text) as T).filter(pass);
      if (found.length >= count) return found.slice(0, count);
      if (Date.now() > until) throw new Error(`${found.length} of ${count} messages came`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const ask = async (message: Record<string, unknown>): Promise<Record<string, unknown>> => {
    socket.send(JSON.stringify(message));
    const [answer] = await collect<Record<string, unknown>>(1, ({ id }) => id === message['id']);
    return answer!;
  };
  return { socket, messages, pings, closed, collect, ask };
}

export function closeClients(): void {
  for (const socket of opened.splice(0)) socket.terminate();
}
