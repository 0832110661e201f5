import { UnreachableError } from '../core/errors.js';

/** One call over HTTP to a system that an error message can name. */
export interface HttpCall {
  /** As a person calls it: `Spark's REST server`. */
  readonly system: string;
  readonly url: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly nextStep: string;
}

/** Any answer, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Codes of fetch's causes that prove that the server never saw the request. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** True when a call failed before a byte of it reached the server. */
export function wasNeverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  if (typeof code === 'string' && neverSent.has(code)) return true;
  if (Array.isArray(errors) && errors.length > 0) return errors.every(wasNeverSent);
  return wasNeverSent(error.cause);
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  const { code } = (error.cause ?? error) as { code?: unknown };
  return typeof code === 'string' ? code : error.message;
}

/** Calls once. @throws UnreachableError when no answer came; an answer of any status is returned. */
export async function callHttp(call: HttpCall): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(call.timeoutMs);
  try {
    const response = await fetch(call.url, {
      method: call.method ?? 'GET',
      redirect: 'manual',
      signal: call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]),
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(call.contentType === undefined ? {} : { headers: { 'content-type': call.contentType } }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, bytes, text: new TextDecoder().decode(bytes) };
  } catch (cause) {
    const { origin } = new URL(call.url);
    throw new UnreachableError(
      `${call.system} at ${origin} did not answer: ${reasonOf(cause, call.timeoutMs)}`,
      { nextStep: call.nextStep, cause },
    );
  }
}

/** What an HTML error page says, in one line; Jetty answers with those where JSON was expected. */
export function summaryOf(text: string): string {
  const title = /<title>(.*?)<\/title>/is.exec(text)?.[1];
  return (title ?? text).replaceAll('&quot;', '"').replace(/\s+/g, ' ').trim().slice(0, 300);
}
