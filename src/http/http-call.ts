/** One call over HTTP to a system that an error message can name. */
export interface HttpCall {
  /** As an error message names it: `Spark's REST server`. */
  readonly system: string;
  readonly url: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as `Authorization: Bearer`; no error shows it, and no redirect to another host carries it. */
  readonly token?: string | undefined;
  /** Until the last byte of the answer is here, however slowly it comes. */
  readonly timeoutMs: number;
  /** The longest time in which nothing comes. */
  readonly silenceMs?: number | undefined;
  /** Of the answer's body after decompression; a longer one is given up. */
  readonly maxBytes: number;
  /** How many redirects are followed, never from https to http; without it the redirect itself is the answer. */
  readonly maxRedirects?: number;
  /** Leaves the connection open for the next call; a server that closes it at that moment makes that call fail. */
  readonly keepAlive?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly nextStep: string;
}

export interface AnswerHeaders {
  get(name: string): string | null;
}

/** Any answer, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** An answer whose body is read piece by piece. */
export interface HttpStream {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** @throws UnreachableError when the answer breaks off, is too long or takes too long. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The answer as JSON; undefined where it is none, whatever its content type. */
export function jsonOf(answer: HttpAnswer): unknown {
  try {
    return JSON.parse(answer.text) as unknown;
  } catch {
    return undefined;
  }
}

/** True for JSON that ends too early: behind some proxies a connection that broke looks like the end of the answer. */
export function isHalfJson(answer: HttpAnswer): boolean {
  return jsonOf(answer) === undefined && /^\s*\{/.test(answer.text);
}

/** The title of an HTML error page, or else the text, in one line; Jetty answers with such pages where JSON was expected. */
export function summaryOf(text: string): string {
  const title = /<title>(.*?)<\/title>/is.exec(text)?.[1];
  return (title ?? text).replaceAll('&quot;', '"').replace(/\s+/g, ' ').trim().slice(0, 300);
}
