import type { JobResources } from './job.js';

/** What a worker of a cluster offers in all. */
export interface WorkerSize {
  readonly cores: number;
  readonly memoryMb: number;
}

/** Memory as a manifest writes it (`512m`, `2g`), in MiB. */
function memoryMb(text: string): number {
  return Number(text.slice(0, -1)) * (text.endsWith('g') ? 1024 : 1);
}

export interface Misfit {
  /** The manifest's own name of what is too much. */
  readonly entry: string;
  readonly message: string;
}

/** What one process of the application asks of one worker. */
interface Part extends WorkerSize {
  readonly name: 'driver' | 'executor';
}

function tooLarge(part: Part, workers: readonly WorkerSize[], memory: string): Misfit[] {
  const cores = Math.max(...workers.map((one) => one.cores));
  const memoryMost = Math.max(...workers.map((one) => one.memoryMb));
  const found: Misfit[] = [];
  if (part.cores > cores)
    found.push({
      entry: `${part.name}_cores`,
      message: `${part.name}_cores ${part.cores}: the largest worker has ${cores} cores`,
    });
  if (part.memoryMb > memoryMost)
    found.push({
      entry: `${part.name}_memory`,
      message: `${part.name}_memory ${memory}: the largest worker has ${memoryMost} MiB`,
    });
  return found;
}

const holds = (worker: WorkerSize, part: WorkerSize): boolean =>
  worker.cores >= part.cores && worker.memoryMb >= part.memoryMb;

/** True where the driver has a place and one executor still has one, on the same worker or on another. */
function haveRoom(driver: Part, executor: Part, workers: readonly WorkerSize[]): boolean {
  return workers.some(
    (first, index) =>
      holds(first, driver) &&
      workers.some((second, other) =>
        other === index
          ? holds(
              { cores: second.cores - driver.cores, memoryMb: second.memoryMb - driver.memoryMb },
              executor,
            )
          : holds(second, executor),
      ),
  );
}

/** What keeps a driver and its first executor from ever starting on these workers, were they empty. */
export function misfits(resources: JobResources, workers: readonly WorkerSize[]): Misfit[] {
  if (workers.length === 0) return [{ entry: 'resources', message: 'the master has no living worker' }];
  const driver: Part = {
    name: 'driver',
    cores: resources.driverCores,
    memoryMb: memoryMb(resources.driverMemory),
  };
  const executor: Part = {
    name: 'executor',
    cores: resources.executorCores,
    memoryMb: memoryMb(resources.executorMemory),
  };
  const found = [
    ...tooLarge(driver, workers, resources.driverMemory),
    ...tooLarge(executor, workers, resources.executorMemory),
  ];
  if (found.length > 0 || haveRoom(driver, executor, workers)) return found;
  const message = `driver (${driver.cores} cores, ${resources.driverMemory}) and one executor (${executor.cores} cores, ${resources.executorMemory}) have no room beside each other on any workers`;
  return [{ entry: 'resources', message }];
}
