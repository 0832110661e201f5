import { UsageError } from '../core/errors.js';
import type { Clock } from '../core/ports/clock.js';
import type { FileStore } from '../core/ports/files.js';
import type { TradeDays } from '../core/ports/retention.js';
import type { LakeAreas } from './lake.js';

const dayMs = 86_400_000;
/**
 * The topic keeps 7 days: a lost checkpoint reads them again, writes their leaves of the lake again and compares their trades
 * with the counted ones. What is at least a day older than that nobody comes back to.
 */
const leastDays = 8;

export interface PrunePorts {
  readonly trades: TradeDays;
  readonly files: Pick<FileStore, 'list' | 'summary' | 'remove'>;
  readonly clock: Clock;
}

export interface PruneOptions {
  readonly olderThanMs: number;
  readonly areas: LakeAreas;
  /** True only looks. */
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
}

/** One day of trades in PostgreSQL, or of one part of the lake. */
export interface OldDay {
  /** `trades`, or the name of a part of the lake. */
  readonly what: string;
  /** UTC: of the trades' own time, in the lake of their arrival. */
  readonly day: string;
  /** Of trades only. */
  readonly rows: number | undefined;
  /** Of the lake only. */
  readonly files: number | undefined;
  readonly sizeBytes: number;
}

export interface PruneReport {
  readonly isDryRun: boolean;
  /** The first day that is kept; whole days before it go. */
  readonly keptFrom: string;
  /** Gone now, or what would go. */
  readonly days: readonly OldDay[];
  readonly sizeBytes: number;
}

/**
 * Removes old trades, lake leaves and rejected messages, in whole days; never bars, coverage, conflicts or the book of runs.
 * What to remove is found in all systems before anything is removed. May run twice, also at once, and beside a running stream.
 * @throws UsageError for less than 8 days.
 */
export async function prune(ports: PrunePorts, options: PruneOptions): Promise<PruneReport> {
  const { olderThanMs, areas, isDryRun, signal } = options;
  if (olderThanMs < leastDays * dayMs)
    throw new UsageError(`--older-than must be at least ${leastDays}d`, {
      nextStep: `The topic keeps 7 days, and what is still in it may be counted and written again: prune older days only.`,
    });
  const keptFrom = dayOf(ports.clock.now() - olderThanMs);
  const removals = [
    ...(await oldTrades(ports.trades, keptFrom)),
    ...(await oldLeaves(ports.files, areas, keptFrom)),
  ];
  const days: OldDay[] = [];
  for (const { day, remove } of removals) {
    signal.throwIfAborted();
    if (isDryRun || (await remove())) days.push(day);
  }
  return { isDryRun, keptFrom, days, sizeBytes: days.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

interface Removal {
  readonly day: OldDay;
  /** False where it was gone already. */
  readonly remove: () => Promise<boolean>;
}

async function oldTrades(trades: TradeDays, keptFrom: string): Promise<Removal[]> {
  return (await trades.before(keptFrom)).map(({ day, rows, sizeBytes }) => ({
    day: { what: 'trades', day, rows, files: undefined, sizeBytes },
    remove: () => trades.drop(day),
  }));
}

async function oldLeaves(files: PrunePorts['files'], areas: LakeAreas, keptFrom: string): Promise<Removal[]> {
  const removals: Removal[] = [];
  for (const [what, root] of Object.entries(areas))
    for (const { path, isFolder } of await files.list(root)) {
      const day = /\/dt=(\d{4}-\d{2}-\d{2})$/.exec(path)?.[1];
      if (!isFolder || day === undefined || day >= keptFrom) continue;
      const summary = await files.summary(path);
      if (summary === undefined) continue;
      removals.push({
        day: { what, day, rows: undefined, ...summary },
        remove: () => files.remove(path).then(() => true),
      });
    }
  return removals;
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
