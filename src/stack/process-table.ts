import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** A process that cannot be mistaken for another: a pid is used again, a pid with its start time is not. */
export interface ProcessId {
  readonly pid: number;
  /** Linux: boot id and clock ticks since boot; elsewhere the start time as `ps` prints it. */
  readonly started: string;
}

interface ProcessEntry extends ProcessId {
  readonly parent: number;
  readonly group: number;
  /** Detached processes lead a session, which their children keep even in groups of their own; -1 where unknown. */
  readonly session: number;
}

const isLinux = process.platform === 'linux';
let bootId: string | undefined;

function currentBoot(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
  return bootId;
}

/** One line of /proc/PID/stat (proc(5)); undefined for a zombie, which only waits for its parent to look. */
export function parseStat(text: string, boot: string): ProcessEntry | undefined {
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group, session] = fields;
  const ticks = fields[19];
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined;
  return {
    pid: Number.parseInt(text, 10),
    started: `${boot}/${ticks}`,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
  };
}

/** Linux: a process that has ended and that its parent has not asked about yet. */
export function isZombie(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

function readStat(pid: number | string): ProcessEntry | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'), currentBoot());
  } catch {
    return undefined; // It ended since we learned of it.
  }
}

/** Lines of `ps -A -o pid=,ppid=,pgid=,stat=,lstart=`, the way of systems without /proc. */
export function parsePs(text: string): ProcessEntry[] {
  return text.split('\n').flatMap((line) => {
    const [pid, parent, group, state, ...started] = line.trim().split(/\s+/);
    if (pid === undefined || pid === '' || state === undefined || state.startsWith('Z')) return [];
    return [
      {
        pid: Number(pid),
        started: started.join(' '),
        parent: Number(parent),
        group: Number(group),
        session: -1,
      },
    ];
  });
}

function listProcesses(): ProcessEntry[] {
  if (!isLinux) {
    return parsePs(
      execFileSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat=,lstart='], {
        encoding: 'utf8',
        timeout: 10_000,
      }),
    );
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readStat)
    .filter((entry) => entry !== undefined);
}

/** The identity of a live process; undefined where there is none with this pid. */
export function identityOf(pid: number): ProcessId | undefined {
  const entry = isLinux ? readStat(pid) : listProcesses().find((other) => other.pid === pid);
  return entry === undefined ? undefined : { pid: entry.pid, started: entry.started };
}

/** True while exactly this process lives. */
export function isAlive(id: ProcessId): boolean {
  return identityOf(id.pid)?.started === id.started;
}

/**
 * Everything that a detached process has started and that still lives, itself first, even when it is dead itself.
 * Children that lead sessions of their own (PostgreSQL's) are found by descent, which needs a living parent.
 */
export function membersOf(leader: ProcessId): ProcessId[] {
  const table = listProcesses();
  const root = table.find((entry) => entry.pid === leader.pid);
  // The system gives no pid away while a group still carries it: another process there means that ours are all gone.
  if (root !== undefined && root.started !== leader.started) return [];
  if (isLinux && !leader.started.startsWith(currentBoot())) return [];
  const found = new Map<number, ProcessEntry>();
  const add = (entry: ProcessEntry): void => {
    if (found.has(entry.pid)) return;
    found.set(entry.pid, entry);
    table.filter((other) => other.parent === entry.pid).forEach(add);
  };
  if (root !== undefined) add(root);
  table.filter((entry) => entry.session === leader.pid || entry.group === leader.pid).forEach(add);
  return [...found.values()].map(({ pid, started }) => ({ pid, started }));
}

/** Memory of a process in bytes: its share of what it shares (PSS) where the kernel tells, else all of it (RSS). */
export function memoryOf(pid: number): number | undefined {
  try {
    if (!isLinux) {
      const kilobytes = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], {
        encoding: 'utf8',
        timeout: 10_000,
      });
      return Number(kilobytes) * 1024;
    }
    return kilobytesIn(`/proc/${pid}/smaps_rollup`, 'Pss') ?? kilobytesIn(`/proc/${pid}/status`, 'VmRSS');
  } catch {
    return undefined;
  }
}

function kilobytesIn(path: string, field: string): number | undefined {
  try {
    const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(path, 'utf8'));
    return match === null ? undefined : Number(match[1]) * 1024;
  } catch {
    return undefined;
  }
}
