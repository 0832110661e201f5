import { ConfigError } from '../core/errors.js';
import type { Say, ServerName } from '../core/ports/stack.js';
import { logPathOf, outputPathOf } from './log-path.js';
import { checkPorts } from './port-check.js';
import { endProcess, startDetached } from './process.js';
import { isAlive } from './process-table.js';
import type { Server } from './server.js';
import { dependencies } from './servers.js';
import type { StackSettings } from './settings.js';
import { readState, updateState, type ProcessRecord } from './state.js';
import { waitReady } from './wait-ready.js';

export interface RunCall {
  readonly settings: Pick<StackSettings, 'dataDir' | 'portOffset'>;
  readonly say: Say;
  readonly signal: AbortSignal;
}

/**
 * Starts the servers that do not run, each as soon as those that it needs are ready. All or nothing: where one fails, what
 * this call has started is stopped again.
 */
export async function startServers(servers: readonly Server[], call: RunCall): Promise<void> {
  const running = runningServers(call.settings);
  const missing = servers.filter(({ name }) => !running.has(name));
  servers.filter(({ name }) => running.has(name)).forEach(({ name }) => call.say(`${name}: already running`));
  await endLeftovers(missing, call);
  await checkPorts(missing);
  const stop = new AbortController();
  const inner = { ...call, signal: AbortSignal.any([call.signal, stop.signal]) };
  const ready = new Map<ServerName, Promise<void>>();
  for (const server of inOrder(servers)) {
    const needs = dependencies[server.name].map((name) => ready.get(name) ?? Promise.resolve());
    ready.set(
      server.name,
      Promise.all(needs).then(() => (running.has(server.name) ? undefined : startOne(server, inner))),
    );
  }
  try {
    await Promise.all(ready.values());
    for (const { name, hint } of servers) if (hint !== undefined) call.say(`${name}: ${hint}`);
  } catch (error) {
    stop.abort();
    await Promise.allSettled(ready.values());
    await stopServers(
      missing.map(({ name }) => name),
      call,
    );
    throw error;
  }
  await checkRunning(
    servers.filter(({ name }) => running.has(name)),
    call,
  );
}

/**
 * Asks the servers that ran already, too: one may hang, or have run on while one that it needs was gone, as a DataNode
 * behind a NameNode that starts.
 */
async function checkRunning(servers: readonly Server[], { settings, signal, say }: RunCall): Promise<void> {
  await Promise.all(
    servers.map((server) =>
      waitReady({
        name: server.name,
        logPath: server.logPath ?? logPathOf(settings.dataDir, server.name),
        signal,
        check: (attempt) => server.checkReady(attempt),
        ended: () => undefined,
        say,
        ...patienceOf(server),
      }),
    ),
  );
}

const patienceOf = ({ readyTimeoutMs, progress, knownEnds }: Server) => ({
  timeoutMs: readyTimeoutMs,
  ...(progress === undefined ? {} : { progress }),
  ...(knownEnds === undefined ? {} : { knownEnds }),
});

/** Dependencies first; the sort is stable. */
function inOrder(servers: readonly Server[]): Server[] {
  const depth = ({ name }: Server): number => dependencies[name].length;
  return [...servers].sort((a, b) => depth(a) - depth(b));
}

function runningServers({ dataDir, portOffset }: RunCall['settings']): Set<string> {
  const records = Object.entries(readState(dataDir)?.processes ?? {});
  const alive = records.filter(([, record]) => record.kind === 'server' && isAlive(record));
  const other = alive.find(([, record]) => record.portOffset !== portOffset)?.[1];
  if (other !== undefined) {
    throw new ConfigError(
      `The stack in ${dataDir} runs with --port-offset ${other.portOffset}, not ${portOffset}`,
      { nextStep: 'Stop it first (`cryptopipe stack down`), or use another --data-dir.' },
    );
  }
  return new Set(alive.map(([name]) => name));
}

/** A server that was killed leaves its children and its line in the state file. */
async function endLeftovers(servers: readonly Server[], call: RunCall): Promise<void> {
  const processes = readState(call.settings.dataDir)?.processes ?? {};
  const dead = servers.map(({ name }) => name).filter((name) => processes[name] !== undefined);
  for (const name of dead) call.say(`${name}: had ended without \`stack down\`, starting it again`);
  await stopServers(dead, { ...call, say: () => undefined });
}

async function startOne(server: Server, call: RunCall): Promise<void> {
  const { dataDir, portOffset } = call.settings;
  const startedAt = Date.now();
  call.signal.throwIfAborted();
  const command = await server.prepare(call.signal);
  call.signal.throwIfAborted();
  const logPath = server.logPath ?? logPathOf(dataDir, server.name);
  const outputPath = server.logPath === undefined ? logPath : outputPathOf(dataDir, server.name);
  const started = await startDetached(command, outputPath);
  const record: ProcessRecord = {
    kind: 'server',
    portOffset,
    pid: started.pid,
    started: started.started,
    startedAt: new Date().toISOString(),
    ports: { ...server.ports },
    version: server.version,
    logPath,
    stopSignal: server.stopSignal,
    stopTimeoutMs: server.stopTimeoutMs,
  };
  await updateState(dataDir, (processes) => (processes[server.name] = record));
  await waitReady({
    name: server.name,
    logPath,
    output: { path: outputPath, startedAt },
    signal: call.signal,
    check: (signal) => server.checkReady(signal),
    ended: started.ended,
    say: call.say,
    ...patienceOf(server),
  });
  call.say(
    `${server.name}: ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s (pid ${started.pid})`,
  );
}

/** Stops these processes of the state file at the same time, and takes them out of it; returns those that were there. */
export async function stopServers(
  names: readonly string[],
  call: Pick<RunCall, 'settings' | 'say'>,
): Promise<string[]> {
  const { dataDir } = call.settings;
  const processes = readState(dataDir)?.processes ?? {};
  const stopped = await Promise.all(
    names.map(async (name) => {
      const record = processes[name];
      if (record === undefined) return [];
      const how = await endProcess(record, record.stopSignal, record.stopTimeoutMs);
      await updateState(dataDir, (current) => Reflect.deleteProperty(current, name));
      const words = {
        ended: 'stopped',
        killed: 'killed: it did not end in time',
        gone: 'was not running any more',
      };
      call.say(`${name}: ${words[how]}`);
      return [name];
    }),
  );
  return stopped.flat();
}
