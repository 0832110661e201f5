import { constants } from 'node:os';
import { backoffMs } from '../core/retry.js';

export interface ProgramEnd {
  /** After a signal 128 and its number, as shells report it. */
  readonly exitCode: number;
  /** `exit code 1`, `signal SIGKILL`. */
  readonly cause: string;
}

/** What Node reports of a child's end: one of the two is null. */
export const programEnd = (code: number | null, signal: NodeJS.Signals | null): ProgramEnd =>
  signal === null
    ? { exitCode: code ?? 1, cause: `exit code ${code ?? 1}` }
    : { exitCode: 128 + constants.signals[signal], cause: `signal ${signal}` };

/** Done, wrong usage, wrong configuration, wrong data, ended by Ctrl-C: another start would end in the same way. */
const finalExitCodes: ReadonlySet<number> = new Set([0, 2, 3, 5, 130]);

/** Whether a program that ended so has crashed, or met a system that did not answer: then it is started again. */
export const isCrash = ({ exitCode }: Pick<ProgramEnd, 'exitCode'>): boolean => !finalExitCodes.has(exitCode);

/** A program that ran for so long was sound: its next crash is a first one, ms. */
const steadyMs = 5 * 60_000;
const limits = { firstMs: 1000, longestMs: 60_000 };

/** Gives the wait before each restart, ms, by how long the program had run: doubling from 1 s to 60 s, with jitter. */
export function createRestartDelays(random: () => number = Math.random): (ranMs: number) => number {
  let attempt = 0;
  return (ranMs) => {
    if (ranMs >= steadyMs) attempt = 0;
    return backoffMs(attempt++, random(), limits);
  };
}
