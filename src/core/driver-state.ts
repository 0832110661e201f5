import type { RunState } from './ports/runs.js';

/** What one of Spark's driver states means for a run. */
export interface DriverMeaning {
  /** True where this driver will never run again. */
  readonly isFinal: boolean;
  readonly isSuccess: boolean;
  /** What the run becomes when nobody else has said how it ended; undefined while it lives. */
  readonly runState: RunState | undefined;
  readonly meaning: string;
}

const alive = (meaning: string): DriverMeaning => ({
  isFinal: false,
  isSuccess: false,
  runState: undefined,
  meaning,
});
const ended = (runState: RunState, meaning: string): DriverMeaning => ({
  isFinal: true,
  isSuccess: runState === 'FINISHED',
  runState,
  meaning,
});

/**
 * Every state of a standalone driver (org.apache.spark.deploy.master.DriverState), and `GONE`, our word for an id that
 * the master does not know: it forgets drivers when it restarts. A master that does not answer is neither: that is an
 * UnreachableError and says nothing about the driver.
 */
export const driverMeanings: Readonly<Record<string, DriverMeaning>> = {
  SUBMITTED: alive('waits for a worker with free cores and memory'),
  RUNNING: alive('its process runs on a worker'),
  RELAUNCHING: alive('its worker was lost; Spark starts the program again, under another id'),
  UNKNOWN: alive('the master restarted and waits for its worker to report'),
  FINISHED: ended('FINISHED', 'its process ended with exit code 0'),
  FAILED: ended('FAILED', 'its process ended with another exit code than 0'),
  ERROR: ended('FAILED', 'its process could not be started, or its worker was lost'),
  KILLED: ended('KILLED', 'it was killed on request'),
  GONE: ended('LOST', 'the master does not know it; it may have restarted since'),
};

/** Total: a word that a later Spark brings is taken for a living driver, because ending it by mistake loses more. */
export function meaningOf(driverState: string | undefined): DriverMeaning {
  return (
    driverMeanings[driverState ?? 'GONE'] ??
    alive(`is in state ${driverState ?? ''}, which this version does not know`)
  );
}

const liveStates: readonly RunState[] = ['PENDING', 'SUBMITTED', 'RUNNING'];

/** True while a run may still do work. */
export function isLive(state: RunState): boolean {
  return liveStates.includes(state);
}
