import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WebHdfsStandIn {
  readonly url: string;
  /** By absolute path; what came of a write that broke off is there, as on a DataNode. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** Called when a write has come whole. */
  onWrite: (path: string) => void;
  clear(): void;
  close(): Promise<void>;
}

const prefix = '/webhdfs/v1';

/** As much of WebHDFS as a submission needs: the size of a file, and writing one in the two steps of the real protocol. */
export async function startWebHdfsStandIn(): Promise<WebHdfsStandIn> {
  const files = new Map<string, Buffer>();

  async function write(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      // The client has gone; what it sent so far stays.
    }
    files.set(path, Buffer.concat(parts));
    if (!request.complete) return;
    standIn.onWrite(path);
    response.writeHead(201).end();
  }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const path = decodeURIComponent(url.pathname.slice(prefix.length));
    const file = files.get(path);
    const op = url.searchParams.get('op');
    if (op === 'CREATE' && url.searchParams.get('noredirect') === 'true') {
      response.end(JSON.stringify({ Location: `${standIn.url}${url.pathname}?op=CREATE&offset=0` }));
    } else if (op === 'CREATE') {
      void write(path, request, response);
    } else if (op === 'GETFILESTATUS' && file !== undefined) {
      const status = { pathSuffix: '', type: 'FILE', length: file.length, modificationTime: 0 };
      response.end(JSON.stringify({ FileStatus: status }));
    } else {
      response.writeHead(404).end('{}');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const standIn: WebHdfsStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    onWrite: () => undefined,
    clear: () => files.clear(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return standIn;
}
