import { directHttp } from '../http/http-client.js';

export interface Call {
  readonly method?: 'GET' | 'PUT' | 'DELETE';
  readonly body?: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined;
}

/** The wait for readiness gives each try less. */
const timeoutMs = 60_000;
const maxBytes = 32 * 1024 * 1024;

/**
 * The answer of one call to a server of the stack as text, redirects followed.
 * @throws Error, not one that ends the wait for readiness, when there is none or its status is no success: the caller asks again.
 */
export async function answerOf(url: string, signal: AbortSignal, call: Call = {}): Promise<string> {
  const limits = { timeoutMs, maxBytes, maxRedirects: 1 };
  const { status, text } = await directHttp
    .call({ ...call, ...limits, url, signal, system: 'The server', nextStep: 'Look at its log.' })
    .catch((cause: unknown) => {
      throw new Error((cause as Error).message, { cause });
    });
  if (status < 200 || status > 299) throw new Error(`${url} answered ${status}: ${excerpt(text)}`);
  return text;
}

const excerpt = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 300);
