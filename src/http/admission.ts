import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** Under which names a server is called. */
export interface ServedHosts {
  /** Beside the names of loopback, as they stand in a Host header, without a port. */
  readonly names?: readonly string[];
  /** Undefined where a port may be forwarded to this one. */
  readonly port?: number | undefined;
  /** True on a server that listens on every address: a page of another site has a name, never an address, in its Host header. */
  readonly hasAnyAddress?: boolean;
}

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Why a request does not come from a client or a page of ours; undefined where it may pass. Any web site may send a browser
 * to a loopback address: by a name that it lets point there (DNS rebinding, so the Host header must be a known name), or from
 * a page of its own (so the Origin that the browser adds must be this server). Clients that are no browser add none.
 */
export function foreignReason(
  headers: IncomingHttpHeaders,
  hosts: ServedHosts,
  { isPage = false }: { readonly isPage?: boolean } = {},
): string | undefined {
  if (!isServed(headers.host ?? '', hosts)) return 'this server is not called by this name';
  const { origin } = headers;
  const isOwn = origin === undefined || (origin.startsWith('http://') && isServed(origin.slice(7), hosts));
  // A link from elsewhere may open a page; nothing else may be asked for from elsewhere.
  const isSameSite = isPage || ['same-origin', 'none', undefined].includes(site(headers));
  return isOwn && isSameSite ? undefined : 'not for pages of other sites';
}

const site = (headers: IncomingHttpHeaders): string | undefined => headers['sec-fetch-site']?.toString();

function isServed(host: string, { names = [], port, hasAnyAddress = false }: ServedHosts): boolean {
  const [, name = '', ownPort] = /^(\[[\da-f:.]+\]|[^:/@]+)(?::(\d+))?$/i.exec(host.toLowerCase()) ?? [];
  const isKnown = [...loopbackNames, ...names.map((known) => known.toLowerCase())].includes(name);
  const isAddress = hasAnyAddress && isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  return (isKnown || isAddress) && (port === undefined || Number(ownPort ?? 80) === port);
}

/** The path and query of a request line; undefined where it has none. Never throws, also for `//` and `*`. */
export function requestUrl(target: string | undefined): URL | undefined {
  const text = target?.startsWith('/') === true ? `http://server${target}` : (target ?? '');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'http:' ? url : undefined;
}
