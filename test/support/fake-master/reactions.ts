import type { ReplyFile } from './replies.js';
import type { Way } from './ways.js';

export type Endpoint = 'create' | 'status' | 'kill' | 'readyz' | 'json' | 'log';

/** What happens to one request; each part is optional, and without any the fake master does what a real one does. */
export interface Reaction {
  /** A file instead of an answer of its own; the request changes nothing then, unless `takes` says so. */
  readonly reply?: ReplyFile;
  /** Whether the request has its effect; where a file answers it has none. */
  readonly takes?: boolean;
  readonly takesAfterMs?: number;
  readonly answersAfterMs?: number;
  /** How the answer travels. */
  readonly way?: Way;
}

/** What the next requests of each endpoint meet. */
export class Reactions {
  private readonly queues = new Map<Endpoint, { readonly reaction: Reaction; times: number }[]>();

  add(endpoint: Endpoint, reaction: Reaction, times: number): void {
    this.queues.set(endpoint, [...(this.queues.get(endpoint) ?? []), { reaction, times }]);
  }

  next(endpoint: Endpoint): Reaction {
    const queue = this.queues.get(endpoint) ?? [];
    const [first] = queue;
    if (first === undefined) return {};
    first.times -= 1;
    if (first.times <= 0) queue.shift();
    return first.reaction;
  }

  clear(endpoint: Endpoint): void {
    this.queues.delete(endpoint);
  }
}
