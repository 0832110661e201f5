import { join } from 'node:path';
import { findDisks, freeText, isFull, type DiskSpace } from '../core/disk-space.js';
import { ConfigError, UnreachableError, UsageError } from '../core/errors.js';
import { serverNames, type ProcessReport, type Stack, type StackCall } from '../core/ports/stack.js';
import { install } from './install/install.js';
import { withLock } from './lock-file.js';
import { logTail } from './log-tail.js';
import { makeDataDir } from './private-folder.js';
import { reportProcesses } from './report.js';
import { startServers, stopServers } from './runner.js';
import { describeServers, wantedServers } from './servers.js';
import type { StackSettings } from './settings.js';
import { readState } from './state.js';

/** The reverse of the order in which they start. */
const stopWaves = [
  ['airflow'],
  ['spark-worker', 'data-node', 'secondary-name-node'],
  ['spark-master', 'name-node', 'kafka', 'postgres'],
] as const;

type ReadDiskSpace = (paths: readonly string[]) => Promise<DiskSpace[]>;

/** The native stack of one data folder. */
export function createNativeStack(settings: StackSettings, readDiskSpace: ReadDiskSpace): Stack {
  const { dataDir } = settings;
  /** One `up` or `down` at a time for a data folder. */
  const alone = <T>(
    call: Pick<StackCall, 'say'> & { signal?: AbortSignal },
    work: () => Promise<T>,
  ): Promise<T> =>
    withLock(
      join(dataDir, 'stack.lock'),
      {
        timeoutMs: 300_000,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
        onWait: (pid) =>
          call.say(`waiting for another cryptopipe (pid ${pid}) that starts or stops this stack`),
      },
      work,
    );
  return {
    install: (call) =>
      interruptible(call.signal, async () => {
        await makeDataDir(dataDir);
        await install({ ...call, settings, servers: wantedServers(call), verify: true });
      }),
    up: (call) =>
      interruptible(call.signal, async () => {
        await makeDataDir(dataDir);
        checkSpace(await readDiskSpace([dataDir]), call);
        return alone(call, () => up(settings, call));
      }),
    down: (call) => alone(call, () => down(settings, call)),
    status: () => Promise.resolve(reportProcesses(dataDir)),
    logTail: (name, lines) => tailOf(dataDir, name, lines),
  };
}

/**
 * Says when a disk is nearly full, by the rule of `status`: what frees space, such as `prune`, needs running servers.
 * @throws ConfigError when they could not start at all.
 */
function checkSpace(disks: readonly DiskSpace[], { say }: Pick<StackCall, 'say'>): void {
  const full = disks.find(isFull);
  if (full !== undefined) {
    throw new ConfigError(`The disk of ${full.path} is full: ${freeText(full)} are free`, {
      nextStep: 'Make room: the servers need 0.25 GB to start, and 2 GB to run.',
    });
  }
  for (const problem of findDisks(disks).problems) say(`warning: ${problem}`);
}

/** Whatever was under way when the caller wanted to stop, that is what happened. */
async function interruptible<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new UnreachableError('Interrupted: what had been started is stopped again', {
      nextStep: 'The same command goes on from here.',
      cause,
    });
  }
}

async function up(settings: StackSettings, call: StackCall): Promise<ProcessReport[]> {
  const names = wantedServers(call);
  const installed = await install({ ...call, settings, servers: names });
  await startServers(describeServers(names, settings, installed), {
    settings,
    say: call.say,
    signal: call.signal,
  });
  return reportProcesses(settings.dataDir);
}

async function down(settings: StackSettings, call: Pick<StackCall, 'say'>): Promise<string[]> {
  const processes = readState(settings.dataDir)?.processes ?? {};
  const own = Object.keys(processes).filter((name) => processes[name]?.kind === 'background');
  const stopped: string[] = [];
  for (const names of [own, ...stopWaves]) {
    stopped.push(...(await stopServers(names, { settings, say: call.say })));
  }
  return stopped;
}

async function tailOf(dataDir: string, name: string, lines: number): Promise<string> {
  const found = reportProcesses(dataDir).find((process) => process.name === name);
  if (found === undefined) {
    throw new UsageError(`There is no server or background process ${name}`, {
      nextStep: `Servers: ${serverNames.join(', ')}.`,
    });
  }
  return logTail(found.logPath, lines);
}
