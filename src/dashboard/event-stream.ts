import type { ServerResponse } from 'node:http';
import type { DashboardEvent } from '../core/dashboard.js';

/** A page that does not read for so long is cut off; it comes again by itself. */
const mostWaitingBytes = 4_000_000;
/** How soon a browser asks again after a break. */
const retryMs = 1_000;

/** One page's stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export class EventStream {
  constructor(
    private readonly response: ServerResponse,
    private readonly clean: (text: string) => string,
  ) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    response.write(`retry: ${retryMs}\n\n`);
  }

  /** JSON has no line break, so each event is one line of data. */
  send({ name, ...content }: DashboardEvent): void {
    if (this.response.writableLength > mostWaitingBytes) this.response.destroy();
    else this.response.write(`event: ${name}\ndata: ${this.clean(JSON.stringify(content))}\n\n`);
  }
}
