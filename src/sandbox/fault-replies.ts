import { gzipSync } from 'node:zlib';
import { errorBody, type Reply } from './api-error.js';
import type { WrongBody } from './fault.js';
import { banned, tooManyRequests } from './weights.js';

const RESTRICTED =
  "Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms. Please contact customer service if you believe you received this message in error.";
const PAGE =
  '<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body>Checking your browser before accessing the site.</body></html>\n';
/** A gzip file of several members is read as one (RFC 1952, section 2.2). */
const MEMBER_BYTES = 1024 * 1024;
const MEMBERS = 128;
const UNREADABLE_PRICE = '1e-8';

/** The exchange's own answer for a status. */
export function replyFor(status: number, retryAfterSeconds: number | undefined, now: number): Reply {
  switch (status) {
    case 429:
      return tooManyRequests(retryAfterSeconds ?? 1);
    case 418:
      return banned(now + (retryAfterSeconds ?? 120) * 1000, now);
    case 451:
      return { status, body: JSON.stringify({ code: 0, msg: RESTRICTED }, null, 2) };
    case 403:
      return { status, body: '<html><body><h1>403 Forbidden</h1></body></html>' };
    case 503:
      return withRetry(
        {
          status,
          body: errorBody(
            -1008,
            'Server is currently overloaded with other requests. Please try again in a few minutes.',
          ),
        },
        retryAfterSeconds,
      );
    case 504:
      return {
        status,
        body: errorBody(
          -1007,
          'Timeout waiting for response from backend server. Send status unknown; execution status unknown.',
        ),
      };
    default:
      return withRetry(
        { status, body: errorBody(-1000, 'An unknown error occurred while processing the request.') },
        retryAfterSeconds,
      );
  }
}

function withRetry(refusal: Reply, retryAfterSeconds: number | undefined): Reply {
  return retryAfterSeconds === undefined ? refusal : { ...refusal, retryAfterSeconds };
}

export const withoutRetryAfter = ({ status, body }: Reply): Reply => ({ status, body });

/** The right answer with a wrong body. */
export function withBody(wrong: WrongBody, { body, ...reply }: Reply): Reply {
  switch (wrong) {
    case 'html':
      return { status: 200, body: PAGE };
    case 'half':
      return { ...reply, body: body.slice(0, Math.ceil(body.length / 2)) };
    case 'empty':
      return { ...reply, body: '' };
    case 'huge':
      return { status: 200, body: '', gzip: hugeBody() };
    case 'unreadable':
      return { ...reply, body: withUnreadablePrice(body) };
  }
}

/** The first price of an answer or a message is one that no amount of the exchange looks like. */
export const withUnreadablePrice = (json: string): string =>
  json.replace(/"p":"[^"]*"/, `"p":"${UNREADABLE_PRICE}"`);

function hugeBody(): Buffer {
  const member = gzipSync(Buffer.alloc(MEMBER_BYTES, ' '));
  return Buffer.concat(Array.from({ length: MEMBERS }, () => member));
}
