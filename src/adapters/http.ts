import { request as requestHttp, type IncomingMessage } from 'node:http';
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
  /** Sent as `Authorization: Bearer`; no error shows it. */
  readonly token?: string | undefined;
  /** Until the last byte of the answer is here, however slowly it comes. */
  readonly timeoutMs: number;
  /** A longer answer is given up; undefined where the caller has asked for no more than it can hold. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
  readonly nextStep: string;
}

/** Any answer, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * True when a call failed before a byte of it reached the server: no name was found or no connection was made. Told by
 * the system call, not by the code: a network that goes away can give EHOSTUNREACH on a connection that has sent already.
 */
export function wasNeverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { syscall, errors } = error as { syscall?: unknown; errors?: unknown };
  // A name with two addresses fails with one error for each of them.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(wasNeverSent);
  return syscall === 'connect' || syscall === 'getaddrinfo' || wasNeverSent(error.cause);
}

/** An answer that began and broke off. */
class BrokenAnswer extends Error {}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof BrokenAnswer) return reasonOf(error.cause, timeoutMs);
  if (error.cause instanceof Error && error.cause.name === 'TimeoutError')
    return `it took more than ${timeoutMs} ms`;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.message;
}

function readBody(
  response: IncomingMessage,
  maxBytes: number,
  done: (bytes: Buffer) => void,
  failed: (cause: Error) => void,
): void {
  const parts: Buffer[] = [];
  let size = 0;
  response.on('data', (part: Buffer) => {
    parts.push(part);
    size += part.length;
    if (size > maxBytes) response.destroy(new Error(`it is longer than ${maxBytes} bytes`));
  });
  response.on('error', failed);
  response.on('end', () => done(Buffer.concat(parts)));
}

function exchange(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
  const url = new URL(call.url);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const headers = {
    ...(call.contentType === undefined ? {} : { 'content-type': call.contentType }),
    ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
    'content-length': String(call.body === undefined ? 0 : Buffer.byteLength(call.body)),
  };
  return new Promise((resolve, reject) => {
    let hasBegun = false;
    const failed = (cause: Error): void =>
      reject(hasBegun ? new BrokenAnswer('the answer broke off', { cause }) : cause);
    const sent = request(url, { method: call.method ?? 'GET', headers, signal, agent: false }, (response) => {
      hasBegun = true;
      const { statusCode: status = 0 } = response;
      const done = (bytes: Buffer): void => resolve({ status, bytes, text: bytes.toString('utf8') });
      readBody(response, call.maxBytes ?? Infinity, done, failed);
    });
    sent.on('error', failed);
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
    const what = cause instanceof BrokenAnswer ? 'did not finish its answer' : 'did not answer';
    throw new UnreachableError(`${call.system} at ${origin} ${what}: ${reasonOf(cause, call.timeoutMs)}`, {
      nextStep: call.nextStep,
      cause,
    });
  }
}

/** The answer as JSON; undefined where it is none, whatever its content type says. */
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

/** What an HTML error page says, in one line; Jetty answers with those where JSON was expected. */
export function summaryOf(text: string): string {
  const title = /<title>(.*?)<\/title>/is.exec(text)?.[1];
  return (title ?? text).replaceAll('&quot;', '"').replace(/\s+/g, ' ').trim().slice(0, 300);
}
