import type { ProcessReport, ProcessRestarts } from './ports/stack.js';
import { shortDuration } from './report.js';

/** Whether a program that crashed waits to be started again; `now` in epoch ms. */
export const isWaiting = ({ at }: ProcessRestarts, now: number): boolean => Date.parse(at) > now;

/** One sentence about the crashes of a background command; undefined where there was none. `now` in epoch ms. */
export function restartsText(
  { name, restarts }: Pick<ProcessReport, 'name' | 'restarts'>,
  now: number,
): string | undefined {
  if (restarts === undefined) return undefined;
  const { at, cause, count } = restarts;
  const times = count === 1 ? 'once' : `${count} times`;
  const distance = shortDuration(Math.abs(Date.parse(at) - now));
  return isWaiting(restarts, now)
    ? `${name} waits ${distance} to start again: it crashed ${times}, last with ${cause}`
    : `${name} crashed ${times} and was started again, last ${distance} ago after ${cause}`;
}
