import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
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

/** Codes that prove that the server never saw the request. */
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
  if (error.cause instanceof Error && error.cause.name === 'TimeoutError')
    return `no answer within ${timeoutMs} ms`;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.message;
}

function exchange(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
  const url = new URL(call.url);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const headers = {
    ...(call.contentType === undefined ? {} : { 'content-type': call.contentType }),
    'content-length': String(call.body === undefined ? 0 : Buffer.byteLength(call.body)),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: call.method ?? 'GET', headers, signal, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        resolve({ status: response.statusCode ?? 0, bytes, text: bytes.toString('utf8') });
      });
    });
    sent.on('error', reject);
    sent.end(call.body);
  });
}

/**
 * Calls once, follows no redirect. Not by `fetch`: that breaks the connection on the `100 Continue` that a DataNode of
 * HDFS sends unasked.
 * @throws UnreachableError when no answer came; an answer of any status is returned.
 */
export async function callHttp(call: HttpCall): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(call.timeoutMs);
  const signal = call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]);
  try {
    return await exchange(call, signal);
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
