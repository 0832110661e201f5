/** Where a server listens; the port is empty where none is named. */
export interface Place {
  /** A name, an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string;
  readonly port: string;
}

/** Host and port of an address with any protocol; undefined where it has none. */
export function placeOf(url: string): Place | undefined {
  const [, host, port = ''] = /^[a-z]+:\/\/(\[[^\]]+\]|[^/:@?#]+)(?::(\d+))?(?:[/?#]|$)/i.exec(url) ?? [];
  return host === undefined ? undefined : { host, port };
}

/** The place as a person reads it. */
export const shownPlace = ({ host, port }: Place): string => (port === '' ? host : `${host}:${port}`);

/** True for this computer. */
export const isHere = (host: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\]|::1)$/i.test(host);

/** True where both names are of one computer, as far as names tell. */
export const isSameHost = (left: string, right: string): boolean =>
  left.toLowerCase() === right.toLowerCase() || (isHere(left) && isHere(right));

/**
 * False where the command line and the jobs would use two servers. The command line's place can be the end of a tunnel on this
 * computer; it has another port than the server then, or the two would be mistaken for each other.
 */
export const canBeOneServer = (own: Place, job: Place): boolean =>
  (isSameHost(own.host, job.host) && own.port === job.port) ||
  (isHere(own.host) && !isHere(job.host) && own.port !== job.port);

/** An IPv6 address in brackets, as addresses have it. */
export const bracketed = (host: string): string =>
  host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
