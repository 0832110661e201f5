import type { IncomingMessage } from 'node:http';

/** Why a request is not answered, and with which status. */
export interface Refusal {
  readonly status: 403 | 405;
  readonly reason: string;
}

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Whether a request comes from a page of ours. Any web site may send a browser to a loopback address: by a name that it
 * lets point there (DNS rebinding, so the Host header must be a name of ours), or from a page of its own (so the browser's
 * word where it comes from counts). Undefined where it may pass.
 */
export function refusalOf(
  { method, headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  { port, isPage }: { readonly port: number; readonly isPage: boolean },
): Refusal | undefined {
  const hosts = loopbackNames.map((name) => `${name}:${port}`);
  if (!hosts.includes(headers.host ?? ''))
    return { status: 403, reason: `this page is served at http://${hosts[0] ?? ''} alone` };
  const { origin } = headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`))
    return { status: 403, reason: 'not for pages of other sites' };
  // A link from elsewhere may open the page; nothing else may be asked for from elsewhere.
  if (!isPage && !['same-origin', 'none', undefined].includes(headers['sec-fetch-site']))
    return { status: 403, reason: 'not for pages of other sites' };
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, reason: 'only GET and HEAD' };
  return undefined;
}

/** What the page may do: its own files and its own events, nothing from elsewhere and nothing inline. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};
