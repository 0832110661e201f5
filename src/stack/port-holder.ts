import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

/** Who listens on a port, as far as the system tells us. */
export interface PortHolder {
  readonly pid: number | undefined;
  readonly command: string | undefined;
}

const listening = '0A';
/** Addresses whose listener would be in our way, or would be taken for ours: any, and loopback. */
const inOurWay = new Set([
  '00000000',
  '0100007F',
  '00000000000000000000000000000000',
  '00000000000000000000000001000000',
  '0000000000000000FFFF00000100007F',
]);

/** The socket inodes that listen on `port`, from the text of /proc/net/tcp or tcp6 (proc(5)). */
export function parseListeners(text: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return text.split('\n').flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    const [address, localPort] = (local ?? '').split(':');
    const isHit = localPort === wanted && state === listening && inOurWay.has(address ?? '');
    return isHit && inode !== undefined ? [inode] : [];
  });
}

function linuxHolder(port: number): PortHolder | undefined {
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => parseListeners(readOr(path, ''), port)),
  );
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (socketsOf(pid).some((inode) => inodes.has(inode))) {
      return { pid: Number(pid), command: commandOf(pid) };
    }
  }
  return { pid: undefined, command: undefined }; // A process of another user: we may not see its files.
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return otherwise;
  }
}

function socketsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      try {
        const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`));
        return match?.[1] === undefined ? [] : [match[1]];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function commandOf(pid: string): string | undefined {
  const words = readOr(`/proc/${pid}/cmdline`, '')
    .split('\0')
    .filter((word) => word !== '');
  if (words.length === 0) return undefined;
  const text = words.join(' ');
  // A Java command line is mostly class path; its end says what it is.
  return text.length <= 120 ? text : `${text.slice(0, 50)} … ${text.slice(-65)}`;
}

function lsofHolder(port: number): PortHolder | undefined {
  try {
    const text = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return { pid: Number(/^p(\d+)/m.exec(text)?.[1]), command: /^c(.+)/m.exec(text)?.[1] };
  } catch {
    return undefined; // lsof ends with 1 when nobody listens.
  }
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Who is in the way of a server of ours on this port of loopback; undefined when the port is free. */
export async function findHolder(port: number): Promise<PortHolder | undefined> {
  const holder = process.platform === 'linux' ? linuxHolder(port) : lsofHolder(port);
  if (holder !== undefined) return holder;
  return (await canBind(port)) ? undefined : { pid: undefined, command: undefined };
}

/** `pid 4711 (postgres -D …)`, or what can be said when the system does not tell. */
export function describeHolder(holder: PortHolder): string {
  if (holder.pid === undefined) return 'a process that this user may not see';
  return `pid ${holder.pid}${holder.command === undefined ? '' : ` (${holder.command})`}`;
}
