import type { ServerResponse } from 'node:http';
import type { Reply } from './replies.js';

/** How an answer travels, or does not. */
export type Way =
  | 'whole'
  /** Never a byte. */
  | 'silence'
  /** The connection is reset before a byte. */
  | 'reset'
  /** It says how long it is and ends in the middle. */
  | 'half'
  /** It ends in the middle and does not say how long it is: to the client it looks whole. */
  | 'half without length'
  /** One byte at a time, slower than anybody waits. */
  | 'slow'
  /** Without end. */
  | 'endless'
  /** No HTTP at all. */
  | 'garbage';

const middle = ({ text }: Reply): string => text.slice(0, Math.ceil(text.length / 2));

/** Puts bytes of our own on the connection, past the server's HTTP. */
const raw = (response: ServerResponse, bytes: string): void => {
  response.socket?.end(bytes);
};

/** Ends a repeated write with its connection. */
function repeatedly(response: ServerResponse, everyMs: number, bytes: string): void {
  const timer = setInterval(() => response.write(bytes), everyMs);
  response.on('close', () => clearInterval(timer));
}

/** Sends an answer; a client that has gone is no error. */
export function send(response: ServerResponse, reply: Reply, way: Way = 'whole'): void {
  response.on('error', () => undefined);
  switch (way) {
    case 'whole':
      response.writeHead(reply.status).end(reply.text);
      return;
    case 'silence':
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'half':
      response.writeHead(reply.status, { 'content-length': Buffer.byteLength(reply.text) });
      response.write(middle(reply), () => response.destroy());
      return;
    case 'half without length':
      raw(response, `HTTP/1.1 ${reply.status} OK\r\nConnection: close\r\n\r\n${middle(reply)}`);
      return;
    case 'slow':
      response.writeHead(reply.status);
      repeatedly(response, 20, ' ');
      return;
    case 'endless':
      response.writeHead(reply.status);
      repeatedly(response, 1, ' '.repeat(1024 * 1024));
      return;
    case 'garbage':
      raw(response, 'SSH-2.0-OpenSSH_9.2p1\r\n');
      return;
  }
}
