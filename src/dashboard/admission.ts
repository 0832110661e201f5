import type { IncomingMessage } from 'node:http';
import { foreignReason } from '../http/admission.js';

/** Why a request is not answered, and with which status. */
export interface Refusal {
  readonly status: 403 | 405;
  readonly reason: string;
}

/** Whether a request may be answered: it comes from a page of ours and only reads. Undefined where it may pass. */
export function refusalOf(
  { method, headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  { port, isPage }: { readonly port: number; readonly isPage: boolean },
): Refusal | undefined {
  const reason = foreignReason(headers, { port }, { isPage });
  if (reason !== undefined) return { status: 403, reason };
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
