import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { PostgresAddress } from '../../src/adapters/postgres.js';

/** How the stand-in answers: an error at the login, an error to each statement, or something that is not the protocol. */
export interface PostgresAnswer {
  readonly at: 'login' | 'statement';
  /** An SQLSTATE with its message; undefined closes the connection, `hang` keeps it and never answers. */
  readonly error?: { readonly code: string; readonly message: string } | 'hang';
}

/** One message of the protocol (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
function message(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(kind, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const readyForQuery = message('Z', Buffer.from('I'));
const authenticationOk = message('R', Buffer.alloc(4));
const errorResponse = ({ code, message: text }: { code: string; message: string }): Buffer =>
  message('E', Buffer.from(`SERROR\0VERROR\0C${code}\0M${text}\0\0`));

function fail(socket: Socket, { error, at }: PostgresAnswer): void {
  if (error === 'hang') return;
  if (error === undefined) socket.destroy();
  else if (at === 'login') socket.end(errorResponse(error));
  else socket.write(Buffer.concat([errorResponse(error), readyForQuery]));
}

/** A server that speaks as much of PostgreSQL's protocol as it takes to refuse, on a free port of loopback. */
export async function startPostgresStandIn(
  answer: PostgresAnswer,
): Promise<{ readonly address: PostgresAddress; readonly server: Server; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    let isLoggedIn = false;
    socket.on('data', () => {
      if (!isLoggedIn && answer.at === 'statement') {
        isLoggedIn = true;
        socket.write(Buffer.concat([authenticationOk, readyForQuery]));
      } else fail(socket, answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server,
    address: { host: '127.0.0.1', port, database: 'market', user: 'alice', password: 'test' },
    stop: async () => {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
