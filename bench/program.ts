import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const sampleMs = 100;

/** What the operating system says of a process; undefined where it does not (only Linux has /proc). */
export interface Usage {
  readonly peakMemoryBytes: number;
  readonly cpuSeconds: number;
}

/** The built program at work, as a user starts it. */
export interface Running {
  /** The JSON lines that it has printed so far. */
  readonly lines: readonly Record<string, unknown>[];
  /** When each of them came, epoch ms. */
  readonly arrivedAt: readonly number[];
  /** Resolves with the first line that the test takes. */
  line(test: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  usage(): Usage | undefined;
  /** Asks it to end. */
  interrupt(): void;
  /** Resolves when it has ended with exit code 0; rejects with its own words otherwise. */
  readonly ended: Promise<void>;
}

const living = new Set<ChildProcess>();

/** Ends what a benchmark that failed has left behind. */
export function endAll(): void {
  for (const child of living) child.kill('SIGTERM');
}

/** Starts a command that prints JSON lines. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv): Running {
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  living.add(child);
  const lines: Record<string, unknown>[] = [];
  const arrivedAt: number[] = [];
  const watchers = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text) as Record<string, unknown>);
    arrivedAt.push(Date.now());
    watchers.forEach((look) => look());
  });
  let said = '';
  child.stderr.on('data', (part: Buffer) => (said = (said + part.toString()).slice(-4000)));
  const usage = usageOf(child);
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      living.delete(child);
      if (code === 0) resolve();
      else reject(new Error(`cryptopipe ${args.join(' ')} ended with ${code ?? 'a signal'}:\n${said}`));
    });
  });
  ended.catch(() => undefined);
  const line = async (test: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> => {
    let look = (): void => undefined;
    const found = new Promise<Record<string, unknown>>((resolve) => {
      look = () => {
        const hit = lines.find(test);
        if (hit !== undefined) resolve(hit);
      };
      watchers.add(look);
      look();
    });
    const never = ended.then(() => {
      const hit = lines.find(test);
      if (hit !== undefined) return hit;
      throw new Error(`cryptopipe ${args.join(' ')} ended without the line that was awaited`);
    });
    return Promise.race([found, never]).finally(() => watchers.delete(look));
  };
  return { lines, arrivedAt, line, usage, interrupt: () => child.kill('SIGINT'), ended };
}

/** Runs a command to its end and returns its JSON lines. */
export async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<readonly Record<string, unknown>[]> {
  const { lines, ended } = start(args, env);
  await ended;
  return lines;
}

/** Asks again and again while the process lives, since nothing can be asked afterwards. */
function usageOf(child: ChildProcess): () => Usage | undefined {
  let newest: Usage | undefined;
  const timer = setInterval(() => (newest = readUsage(child.pid) ?? newest), sampleMs);
  child.on('exit', () => clearInterval(timer));
  return () => readUsage(child.pid) ?? newest;
}

function readUsage(pid: number | undefined): Usage | undefined {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // Behind the name, which may hold anything: user and system time are fields 14 and 15, in hundredths of a second.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (peak === undefined) return undefined;
    return {
      peakMemoryBytes: Number(peak) * 1024,
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    };
  } catch {
    return undefined;
  }
}
