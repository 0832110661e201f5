import type { JobRun } from './ports/runs.js';
import type { MasterReport, MasterWorker } from './ports/spark.js';
import { settingOf } from './submission.js';

/** Cores and memory that one process takes of a worker. */
export interface Need {
  readonly cores: number;
  readonly memoryMb: number;
}

const unitsMb: Readonly<Record<string, number>> = { k: 1 / 1024, m: 1, g: 1024, t: 1_048_576 };

/** Whole MB of a length of memory as Spark writes it (`512m`, `1g`); a number without a unit counts MB. */
export function memoryMb(text: string): number {
  const parts = /^(\d+)([kmgt]?)b?$/i.exec(text.trim());
  return Math.floor(Number(parts?.[1] ?? 0) * (unitsMb[parts?.[2]?.toLowerCase() ?? ''] ?? 1));
}

/** What a driver, or each executor, of a run wants; undefined where it is not written down what Spark was sent. */
export function needOf({ request }: Pick<JobRun, 'request'>, what: 'driver' | 'executor'): Need | undefined {
  if (request === undefined) return undefined;
  return {
    cores: Number(settingOf(request, `spark.${what}.cores`) ?? 1),
    memoryMb: memoryMb(settingOf(request, `spark.${what}.memory`) ?? '1g'),
  };
}

const aliveOf = (master: MasterReport): readonly MasterWorker[] =>
  master.workers.filter(({ state }) => state === 'ALIVE');

/** Whether a living worker has place for it now. */
export const hasRoomFor = (master: MasterReport, { cores, memoryMb: memory }: Need): boolean =>
  aliveOf(master).some((worker) => worker.coresFree >= cores && worker.memoryFreeMb >= memory);

/** True where there are living workers, and it would not fit on any of them if nothing else ran there. */
export const isTooLarge = (master: MasterReport, { cores, memoryMb: memory }: Need): boolean => {
  const workers = aliveOf(master);
  return workers.length > 0 && !workers.some((worker) => worker.cores >= cores && worker.memoryMb >= memory);
};

export const describeNeed = ({ cores, memoryMb: memory }: Need): string =>
  `${cores} ${cores === 1 ? 'core' : 'cores'} and ${memory} MB`;

/** What a driver that no worker takes is told: how much each living worker has left. */
export function roomOf(master: MasterReport): string {
  const workers = aliveOf(master);
  if (workers.length === 0) return 'the master has no living worker';
  return workers
    .map(
      (one) =>
        `${one.id} has ${one.coresFree} of ${one.cores} cores and ${one.memoryFreeMb} of ${one.memoryMb} MB free`,
    )
    .join('; ');
}
