import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../core/errors.js';
import { withLock } from './lock-file.js';

const entrySchema = z.object({
  kind: z.enum(['server', 'background']),
  portOffset: z.number(),
  pid: z.number().int(),
  /** What a background command was started with; a server has none. */
  args: z.array(z.string()).optional(),
  /** The folder that it was started in, where its `.env` is. */
  cwd: z.string().optional(),
  started: z.string(),
  startedAt: z.string(),
  ports: z.record(z.string(), z.number()),
  version: z.string(),
  logPath: z.string(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
  stopTimeoutMs: z.number(),
  /** A background command that was ready once is started again when it crashes. */
  isReady: z.boolean().optional(),
  restarts: z.object({ count: z.number(), cause: z.string(), at: z.string() }).optional(),
});
const stateSchema = z.object({
  schema: z.literal(1),
  processes: z.record(z.string(), entrySchema),
});

/** A process that was started and not stopped: enough to find it again and to end it, by whatever version. */
export type ProcessRecord = z.infer<typeof entrySchema>;
export type StackState = z.infer<typeof stateSchema>;

const pathIn = (dataDir: string): string => join(dataDir, 'state.json');

/** What runs according to the state file; undefined where nothing was started. */
export function readState(dataDir: string): StackState | undefined {
  const path = pathIn(dataDir);
  try {
    return stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`${path} is not a state file of this version of cryptopipe`, {
      nextStep: 'End the processes that it names, then remove it.',
      cause: error,
    });
  }
}

/** Changes the state file: one writer at a time, replaced in one step; removed when no process is left in it. */
export async function updateState(
  dataDir: string,
  change: (processes: Record<string, ProcessRecord>) => void,
): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  await withLock(join(dataDir, 'state.lock'), { timeoutMs: 10_000 }, async () => {
    const before = readState(dataDir);
    const state: StackState = { schema: 1, processes: { ...before?.processes } };
    change(state.processes);
    if (Object.keys(state.processes).length === 0) return rm(pathIn(dataDir), { force: true });
    const next = `${pathIn(dataDir)}.next`;
    await writeFile(next, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
    await rename(next, pathIn(dataDir));
  });
}
