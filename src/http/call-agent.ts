import { Agent, type ClientRequest, type RequestOptions } from 'node:http';

/** The method by which `http.request` hands a request to its agent; not part of its types. */
interface RequestTaker {
  addRequest(request: ClientRequest, options: RequestOptions): void;
}

/**
 * Hands the request of one call to an agent and keeps the error of the connection as Node reported it: the error of node-fetch
 * has neither the system call nor the errors of each address.
 */
export class CallAgent extends Agent {
  failure: Error | undefined;

  constructor(
    private readonly inner: Agent,
    { isSecure, keepAlive }: { readonly isSecure: boolean; readonly keepAlive: boolean },
  ) {
    super({ keepAlive });
    Object.assign(this, { protocol: isSecure ? 'https:' : 'http:', defaultPort: isSecure ? 443 : 80 });
  }

  addRequest(request: ClientRequest, options: RequestOptions): void {
    request.once('error', (error) => (this.failure ??= error));
    request.once('proxyConnect', ({ statusCode }: { statusCode?: number }) => {
      if (statusCode === undefined || statusCode === 200) return;
      // The library would pass the proxy's refusal on as if it were the server's answer.
      request.destroy(new Error(`the proxy refused the connection (${statusCode})`));
    });
    (this.inner as unknown as RequestTaker).addRequest(request, options);
  }
}
