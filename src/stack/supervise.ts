import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRestartDelays, isCrash, programEnd, type ProgramEnd } from './restart-policy.js';
import { copyLines, createRotatingLog } from './rotating-log.js';
import { readState, updateState } from './state.js';

/** What the process is started with: one argument, as JSON. */
export interface Supervision {
  readonly dataDir: string;
  /** Of the command's record in the state file. */
  readonly name: string;
  readonly log: { readonly path: string; readonly maxBytes: number; readonly kept: number };
  readonly program: string;
  readonly args: readonly string[];
  /** After them at the first start alone. */
  readonly firstArgs: readonly string[];
}

/*
 * The process that runs a command in the background: writes its log, and starts it again when it crashes. Over a channel
 * between the two the command learns that its supervisor wants its end, or is gone: no command outlives its supervisor.
 */

/** Longer than any command of ours takes to end in order, ms. */
const stopTimeoutMs = 25_000;
/** What a program has printed is read to its end, unless a child of it keeps the stream open, ms. */
const lastOutputMs = 1000;

const { dataDir, name, ...call } = JSON.parse(process.argv[2] ?? '') as Supervision;
const log = createRotatingLog(call.log.path, call.log);
const say = (line: string): void => log.write(Buffer.from(`${new Date().toISOString()} ${name} ${line}\n`));

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

process.exit(await supervise());

/** Returns the exit code of the command's last run. */
async function supervise(): Promise<number> {
  const delayMs = createRestartDelays();
  for (let count = 1; ; count++) {
    const startedAt = Date.now();
    const end = await runProgram(count === 1 ? call.firstArgs : []).catch(notStarted);
    const isOver = stop.signal.aborted || !isCrash(end);
    if (!isOver) say(`ended: ${end.cause}`);
    // Before it is ready, who starts it is told.
    if (isOver || !wasReady()) return end.exitCode;
    const waitMs = delayMs(Date.now() - startedAt);
    say(`starts again in ${(waitMs / 1000).toFixed(1)} s`);
    const at = Date.now() + waitMs;
    await record({ count, cause: end.cause, at: new Date(at).toISOString() });
    const wait = sleep(Math.max(0, at - Date.now()), undefined, { signal: stop.signal });
    if (await wait.then(() => false).catch(() => true)) return 0; // Stopped while it waits.
  }
}

function runProgram(moreArgs: readonly string[]): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    // In this process's group, where the signal of `stop` reaches it too; with what this process was given to read.
    const child = spawn(process.execPath, [call.program, ...call.args, ...moreArgs], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr]) if (stream !== null) copyLines(stream, log);
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      if (child.connected) child.disconnect();
      timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    };
    if (stop.signal.aborted) end();
    else stop.signal.addEventListener('abort', end, { once: true });
    child.on('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      stop.signal.removeEventListener('abort', end);
      const result = programEnd(code, signal);
      child.once('close', () => resolve(result));
      setTimeout(() => resolve(result), lastOutputMs);
    });
  });
}

/** No process left, no memory left: that passes. */
function notStarted(error: unknown): ProgramEnd {
  return { exitCode: 4, cause: `no process could be started: ${(error as Error).message}` };
}

function wasReady(): boolean {
  try {
    const own = readState(dataDir)?.processes[name];
    return own?.pid === process.pid && own.isReady === true;
  } catch {
    return true; // A state file that cannot be read is no reason to leave the command ended.
  }
}

async function record(restarts: { count: number; cause: string; at: string }): Promise<void> {
  try {
    await updateState(dataDir, (processes) => {
      const own = processes[name];
      if (own?.pid === process.pid) processes[name] = { ...own, restarts };
    });
  } catch (error) {
    say(`could not be recorded as crashed: ${(error as Error).message}`);
  }
}
