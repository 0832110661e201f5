import { coreServers, optionalServers, type ProcessReport } from '../core/ports/stack.js';
import { isWaiting } from '../core/restarts.js';
import { isAlive, membersOf, memoryOf } from './process-table.js';
import { logPathOf } from './log-path.js';
import { readState, type ProcessRecord } from './state.js';

/** What the state file says, held against the processes that live. Every core server is listed, started or not. */
export function reportProcesses(dataDir: string): ProcessReport[] {
  const processes = readState(dataDir)?.processes ?? {};
  const started = optionalServers.filter((name) => processes[name] !== undefined);
  const servers = [...coreServers, ...started].map((name) => reportOne(name, processes[name], dataDir));
  const own = Object.entries(processes)
    .filter(([, record]) => record.kind === 'background')
    .map(([name, record]) => reportOne(name, record, dataDir));
  return [...servers, ...own];
}

export function reportOne(name: string, record: ProcessRecord | undefined, dataDir: string): ProcessReport {
  const isRunning = record !== undefined && isAlive(record);
  return {
    name,
    kind: record?.kind ?? 'server',
    state: stateOf(record, isRunning),
    pid: isRunning ? record.pid : undefined,
    startedAt: record?.startedAt,
    version: record?.version,
    ports: record?.ports ?? {},
    memoryBytes: isRunning ? totalMemory(record) : undefined,
    logPath: record?.logPath ?? logPathOf(dataDir, name),
    ...(record?.restarts === undefined ? {} : { restarts: record.restarts }),
  };
}

function stateOf(record: ProcessRecord | undefined, isRunning: boolean): ProcessReport['state'] {
  if (record === undefined) return 'stopped';
  if (!isRunning) return 'died';
  return record.restarts !== undefined && isWaiting(record.restarts, Date.now()) ? 'unhealthy' : 'running';
}

function totalMemory(record: ProcessRecord): number {
  return membersOf(record).reduce((sum, { pid }) => sum + (memoryOf(pid) ?? 0), 0);
}
