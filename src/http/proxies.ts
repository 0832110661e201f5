import { BlockList, isIP } from 'node:net';
import { ConfigError } from '../core/errors.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A forward proxy that the environment names. */
export interface Proxy {
  /** With user and password, where the variable has them: for the connection, never for a message. */
  readonly url: string;
  /** For messages: the address without user and password, and the variable that names it. */
  readonly label: string;
}

/** The proxy for an address; undefined where the call goes directly. */
export type ProxyChoice = (target: URL) => Proxy | undefined;

const protocols = ['http:', 'https:', 'socks:', 'socks4:', 'socks4a:', 'socks5:', 'socks5h:'];
/** Lower case overrides upper case, the scheme's own variable overrides the one for all. */
const variablesOf = (scheme: 'http' | 'https'): string[] => [
  `${scheme}_proxy`,
  `${scheme.toUpperCase()}_PROXY`,
  'all_proxy',
  'ALL_PROXY',
];

/**
 * Reads HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in lower or upper case, as curl does. `ws:` is treated as `http:`,
 * `wss:` as `https:`. Loopback addresses are never proxied.
 *
 * @throws ConfigError that names each variable whose value is no proxy address.
 * @see https://everything.curl.dev/usingcurl/proxies/env.html
 */
export function proxiesOf(environment: Environment): ProxyChoice {
  const problems: string[] = [];
  const https = readProxy(environment, variablesOf('https'), problems);
  const http = readProxy(environment, variablesOf('http'), problems);
  if (problems.length > 0)
    throw new ConfigError([...new Set(problems)].join('\n'), {
      nextStep: 'Correct the variable or remove it; addresses in NO_PROXY are called directly.',
    });
  const isExempt = exemptionsOf(valueOf(environment, ['no_proxy', 'NO_PROXY'])?.value ?? '');
  return (target) => {
    const isSecure = target.protocol === 'https:' || target.protocol === 'wss:';
    const host = hostOf(target);
    const port = target.port === '' ? (isSecure ? 443 : 80) : Number(target.port);
    return isLoopbackHost(host) || isExempt(host, port) ? undefined : isSecure ? https : http;
  };
}

function valueOf(
  environment: Environment,
  names: readonly string[],
): { name: string; value: string } | undefined {
  for (const name of names) {
    const value = environment[name]?.trim();
    if (value !== undefined && value !== '') return { name, value };
  }
  return undefined;
}

function readProxy(
  environment: Environment,
  names: readonly string[],
  problems: string[],
): Proxy | undefined {
  const found = valueOf(environment, names);
  if (found === undefined) return undefined;
  const url = parseProxy(found.value);
  if (url !== undefined) return { url: url.href, label: `${url.protocol}//${url.host} (${found.name})` };
  // The value may hold a password.
  problems.push(`${found.name} is not a proxy address: expected http://host:port, https://… or socks5://…`);
  return undefined;
}

function parseProxy(value: string): URL | undefined {
  try {
    const url = new URL(value.includes('://') ? value : `http://${value}`);
    decodeURIComponent(url.username + url.password);
    return protocols.includes(url.protocol) && url.hostname !== '' ? url : undefined;
  } catch {
    return undefined;
  }
}

/** Without the brackets of an IPv6 address and the dot at the end of a full name. */
const hostOf = ({ hostname }: URL): string =>
  hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const isLoopbackHost = (host: string): boolean =>
  isIP(host) === 0
    ? host === 'localhost' || host.endsWith('.localhost')
    : loopback.check(host, familyOf(host));

type Exemption = (host: string, port: number) => boolean;

/** Names (with all names below them), addresses, address ranges (`10.0.0.0/8`), each with or without a port; `*` is all. */
function exemptionsOf(noProxy: string): Exemption {
  const exemptions = noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(exemptionOf);
  return (host, port) => exemptions.some((isExempt) => isExempt(host, port));
}

function exemptionOf(entry: string): Exemption {
  if (entry === '*') return () => true;
  const range = rangeOf(entry);
  if (range !== undefined) return (host) => isIP(host) !== 0 && range.check(host, familyOf(host));
  const [, bracketed, plain, wantedPort] =
    /^(?:\[(.+)\]|([^:]+|[^:]*:[^:]*:.*?))(?::(\d+))?$/.exec(entry) ?? [];
  const name = (bracketed ?? plain ?? entry)
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/\.$/, '');
  return (host, port) =>
    (wantedPort === undefined || Number(wantedPort) === port) &&
    (host === name || (isIP(host) === 0 && host.endsWith(`.${name}`)));
}

function rangeOf(entry: string): BlockList | undefined {
  const [, address = '', bits = ''] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (isIP(address) === 0 || Number(bits) > (isIP(address) === 6 ? 128 : 32)) return undefined;
  const range = new BlockList();
  range.addSubnet(address, Number(bits), familyOf(address));
  return range;
}
