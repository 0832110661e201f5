import { UnreachableError } from '../core/errors.js';
import type { JobRun, RunBook } from '../core/ports/runs.js';
import type { MasterReport, SparkCluster } from '../core/ports/spark.js';
import { meaningOf } from '../core/driver-state.js';

/** Where a run is that was written down and perhaps posted. */
export type Location =
  | { readonly kind: 'found'; readonly submissionId: string }
  /** `unread`: drivers that have ended and whose log is gone; one of them may have been it. */
  | { readonly kind: 'absent'; readonly unread: readonly string[] }
  /** Something at Spark may be this run and nobody can tell yet. */
  | { readonly kind: 'unclear'; readonly because: string };

export interface LocatePorts {
  readonly book: RunBook;
  readonly spark: SparkCluster;
}

async function unclaimedDrivers(book: RunBook, master: MasterReport): Promise<MasterReport['drivers']> {
  const claimed = new Set((await book.list()).map((run) => run.submissionId));
  return master.drivers.filter((driver) => !claimed.has(driver.id));
}

/** Ids begin with the time at which they were given out (driver-yyyyMMddHHmmss-nnnn). */
const isSuccessor = (driver: MasterReport['drivers'][number], { submissionId }: JobRun): boolean =>
  submissionId === undefined || driver.id > submissionId;

async function commandOf(spark: SparkCluster, driverId: string): Promise<string | undefined> {
  try {
    return await spark.launchCommand(driverId);
  } catch (error) {
    if (error instanceof UnreachableError) return undefined;
    throw error;
  }
}

/**
 * Finds the driver of a run whose submission id was never written down. The master does not say what a driver was started
 * with, but the worker writes the whole command into the head of its log, and the run id stands in it. Of a run that has an
 * id already, the driver is looked for that Spark has started in the place of that one.
 */
export async function locateRun({ book, spark }: LocatePorts, run: JobRun): Promise<Location> {
  const master = await spark.master();
  if (master.status !== 'ALIVE')
    throw new UnreachableError(`The Spark master is ${master.status}`, {
      nextStep: 'Try again when it is ALIVE: it may still learn of drivers.',
    });
  const [silent, unread]: [string[], string[]] = [[], []];
  const candidates = (await unclaimedDrivers(book, master)).filter((driver) => isSuccessor(driver, run));
  for (const driver of candidates) {
    const command = await commandOf(spark, driver.id);
    if (command?.includes(run.runId) === true) return { kind: 'found', submissionId: driver.id };
    if (command === undefined) (meaningOf(driver.state).isFinal ? unread : silent).push(driver.id);
  }
  const app = master.apps.find((one) => one.name.endsWith(run.runId) && !isEnded(one.state));
  if (app !== undefined)
    return { kind: 'unclear', because: `its application ${app.id} is there, its driver is not known yet` };
  return silent.length === 0
    ? { kind: 'absent', unread }
    : { kind: 'unclear', because: `${silent.join(', ')} has not started yet and may be it` };
}

/** org.apache.spark.deploy.master.ApplicationState */
const isEnded = (state: string): boolean => ['FINISHED', 'FAILED', 'KILLED'].includes(state);
