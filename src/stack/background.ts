import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { doesWhatIsWanted } from '../core/background-arguments.js';
import { ConfigError, JobFailedError, UnreachableError, UsageError } from '../core/errors.js';
import type { Background, BackgroundStart } from '../core/ports/background.js';
import { serverNames, type ProcessReport } from '../core/ports/stack.js';
import { isWaiting } from '../core/restarts.js';
import { withLock } from './lock-file.js';
import { makeDataDir } from './private-folder.js';
import { checkPorts } from './port-check.js';
import { endProcess, startDetached } from './process.js';
import { isAlive } from './process-table.js';
import { reportOne } from './report.js';
import { logPathOf } from './log-path.js';
import { stopServers } from './runner.js';
import type { StackSettings } from './settings.js';
import { readState, updateState, type ProcessRecord } from './state.js';
import type { Supervision } from './supervise.js';
import { waitReady } from './wait-ready.js';

/** Long enough for a wrong flag or a wrong address to show itself. */
const firstMomentMs = 1000;
const stopTimeoutMs = 15_000;
const log = { maxBytes: 10 * 1024 * 1024, kept: 5 };

/**
 * Commands of this program that outlive the call which started them, each with a supervisor that starts it again when it
 * crashes; in the same state file as the servers.
 */
export function createBackground(settings: StackSettings): Background {
  const start = async (given: CommandStart): Promise<ProcessReport> => {
    await makeDataDir(settings.dataDir);
    return withLock(
      join(settings.dataDir, `${given.name}.lock`),
      { timeoutMs: 120_000, ...(given.signal === undefined ? {} : { signal: given.signal }) },
      () => startCommand(settings, given),
    );
  };
  return {
    start: (given) => {
      if ((serverNames as readonly string[]).includes(given.name)) {
        throw new UsageError(`${given.name} is the name of a server`);
      }
      return start(given);
    },
    stop: (name, timeoutMs) => stopCommand(settings, name, timeoutMs ?? stopTimeoutMs),
    list: () => Promise.resolve(list(settings.dataDir)),
    resume: async (signal) => {
      const resumed: ProcessReport[] = [];
      const failures: unknown[] = [];
      for (const ended of endedOf(settings.dataDir))
        await start({ ...ended, ...(signal === undefined ? {} : { signal }) }).then(
          (report) => resumed.push(report),
          (error: unknown) => failures.push(error),
        );
      if (failures.length > 0) throw failures[0];
      return resumed;
    },
  };
}

function recordsOf(dataDir: string): [string, ProcessRecord][] {
  return Object.entries(readState(dataDir)?.processes ?? {}).filter(([, { kind }]) => kind === 'background');
}

const list = (dataDir: string): ProcessReport[] =>
  recordsOf(dataDir).map(([name, record]) => reportOne(name, record, dataDir));

interface CommandStart extends BackgroundStart {
  /** It was ready before, so that a crash is the supervisor's from the first moment on. */
  readonly isReady?: boolean | undefined;
}

/** A record stays when its process has ended without `stop` and without `stack down`. */
const endedOf = (dataDir: string): CommandStart[] =>
  recordsOf(dataDir)
    .filter(([, record]) => !isRunning(record))
    .flatMap(([name, { args, cwd, ports, isReady }]) =>
      args === undefined ? [] : [{ name, args, cwd, ports, isReady }],
    );

/** Who waits after a crash is started at once where somebody types so. */
const isRunning = (record: ProcessRecord): boolean =>
  isAlive(record) && (record.restarts === undefined || !isWaiting(record.restarts, Date.now()));

async function startCommand(settings: StackSettings, start: CommandStart): Promise<ProcessReport> {
  const { dataDir, portOffset } = settings;
  const { name, ports = {}, cwd = process.cwd(), isReady = false } = start;
  const before = readState(dataDir)?.processes[name];
  if (before !== undefined && isAlive(before)) {
    requireSameCommand(before, start);
    if (isRunning(before)) return reportOne(name, before, dataDir);
  }
  if (before !== undefined) await endProcess(before, before.stopSignal, before.stopTimeoutMs);
  await checkPorts([{ name, ports }]);
  const logPath = logPathOf(dataDir, name);
  const started = await startDetached(supervised(settings, start, cwd), logPath, log.kept);
  const record: ProcessRecord = {
    kind: 'background',
    portOffset,
    pid: started.pid,
    args: [...start.args],
    cwd,
    started: started.started,
    startedAt: new Date().toISOString(),
    ports: { ...ports },
    version: '',
    logPath,
    stopSignal: 'SIGTERM',
    stopTimeoutMs,
    isReady,
  };
  await updateState(dataDir, (processes) => (processes[name] = record));
  const signal = start.signal ?? new AbortController().signal;
  try {
    await waitReady({
      name,
      logPath,
      timeoutMs: start.readyTimeoutMs ?? 60_000,
      signal,
      check: start.ready ?? (() => sleep(firstMomentMs, undefined, { signal })),
      ended: started.ended,
    });
  } catch (error) {
    // What ran before stays in the state file, for the next `stack up`.
    if (isReady) await endProcess(record, record.stopSignal, record.stopTimeoutMs);
    else await stopServers([name], { settings, say: () => undefined });
    throw withExitCode(error, started.exitCode());
  }
  return reportOne(name, await markReady(dataDir, name, record), dataDir);
}

/** From now on a crash of the command is its supervisor's, which may have written into the record meanwhile. */
async function markReady(dataDir: string, name: string, record: ProcessRecord): Promise<ProcessRecord> {
  let marked = record;
  await updateState(dataDir, (processes) => {
    const current = processes[name];
    if (current?.pid === record.pid) processes[name] = marked = { ...current, isReady: true };
  });
  return marked;
}

/** What was wrong for the command in the background is wrong for the call that started it. */
function withExitCode(error: unknown, code: number | undefined): unknown {
  const Kind = code === 2 ? UsageError : code === 3 ? ConfigError : code === 5 ? JobFailedError : undefined;
  if (Kind === undefined || !(error instanceof UnreachableError)) return error;
  const { logTail, nextStep, message } = error;
  return new Kind(message, {
    ...(logTail === undefined ? {} : { logTail }),
    ...(nextStep === undefined ? {} : { nextStep }),
    cause: error,
  });
}

/** The record of an earlier version does not say with what it was started; it is left as it is. */
function requireSameCommand({ args: running, pid, startedAt }: ProcessRecord, start: BackgroundStart): void {
  const { args: wanted, name, stopCommand } = start;
  if (running === undefined || doesWhatIsWanted(running, wanted)) return;
  const shown = (args: readonly string[]): string => `cryptopipe ${args.join(' ')}`;
  const ways = [...(stopCommand === undefined ? [] : [stopCommand]), 'cryptopipe stack down'];
  throw new ConfigError(
    `${name} runs already with other arguments (pid ${pid}, since ${startedAt})\n  running: ${shown(running)}\n  wanted:  ${shown(wanted)}`,
    { nextStep: `Stop what runs first: ${ways.map((way) => `\`${way}\``).join(', or everything: ')}.` },
  );
}

/** In the caller's folder and with its environment: the command reads the same `.env` and the same settings. */
function supervised(settings: StackSettings, start: CommandStart, cwd: string) {
  const call: Supervision = {
    dataDir: settings.dataDir,
    name: start.name,
    log: { ...log, path: logPathOf(settings.dataDir, start.name) },
    program: settings.program,
    args: start.args,
    firstArgs: start.firstArgs ?? [],
  };
  const own = Object.entries(settings.environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    file: process.execPath,
    args: [settings.supervisor, JSON.stringify(call)],
    cwd,
    env: {
      ...Object.fromEntries(own),
      CRYPTOPIPE_PORT_OFFSET: String(settings.portOffset),
      CRYPTOPIPE_DATA_DIR: settings.dataDir,
    },
  };
}

async function stopCommand(settings: StackSettings, name: string, timeoutMs: number): Promise<boolean> {
  const record = recordsOf(settings.dataDir).find(([other]) => other === name)?.[1];
  if (record === undefined) return false;
  const how = await endProcess(record, record.stopSignal, timeoutMs);
  await updateState(settings.dataDir, (processes) => Reflect.deleteProperty(processes, name));
  return how !== 'gone';
}
