import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../core/errors.js';

/** The answer to the request that orders it still goes out. */
const BEFORE_GONE_MS = 50;
const TRY_AGAIN_MS = 250;

/** The port of a server, which can be gone for a time. */
export class Listener {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly server: Server,
    private readonly place: { readonly host: string; readonly port: number },
  ) {}

  /**
   * Resolves with the address when connections are taken.
   * @throws ConfigError when the port is taken or cannot be opened.
   */
  async open(): Promise<string> {
    const { host, port } = this.place;
    this.server.listen(port, host);
    try {
      await once(this.server, 'listening');
    } catch (error) {
      throw listenError(error as NodeJS.ErrnoException, host, port);
    }
    const address = this.server.address() as AddressInfo;
    return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
  }

  /** Ends every connection and refuses new ones; takes them again on the same port after so many ms. */
  goneFor(ms: number, onGone: () => void): void {
    const { port } = this.server.address() as AddressInfo;
    const until = Date.now() + ms;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.server.close();
      this.server.closeAllConnections();
      onGone();
      this.timer = setTimeout(() => this.openAgain(port), until - Date.now());
    }, BEFORE_GONE_MS);
  }

  /** No port is opened any more. */
  stop(): void {
    clearTimeout(this.timer);
  }

  private openAgain(port: number): void {
    const retry = (): void => {
      this.timer = setTimeout(() => this.openAgain(port), TRY_AGAIN_MS);
    };
    this.server.once('error', retry);
    this.server.listen(port, this.place.host, () => this.server.off('error', retry));
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ConfigError {
  const why = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be opened (${error.message})`;
  return new ConfigError(`Port ${port} on ${host} ${why}`, {
    nextStep: 'Stop what listens there, or choose another with --port or --port-offset.',
    cause: error,
  });
}
