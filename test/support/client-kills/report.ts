import { steps } from './plan.js';
import type { Played } from './play.js';
import { lineOf } from './round.js';

const countsOf = (values: readonly string[]): string => {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => `${value} ${count}`).join(', ');
};

/** Every round, how many clients were killed at which step, and what the next call found. */
export function report({ rounds, durations }: Played): string {
  const kills = rounds.flatMap((round) => round.kills).filter(({ isKilled }) => isKilled);
  const reached = kills.map((kill) => kill.reached).sort((a, b) => steps.indexOf(a) - steps.indexOf(b));
  const instants = kills.map(({ atMs }) => atMs).sort((a, b) => a - b);
  return [
    `the last undisturbed calls took ${durations.join(', ')} ms`,
    ...rounds.map(lineOf),
    `${kills.length} clients killed in ${rounds.length} rounds; furthest step seen: ${countsOf(reached)}`,
    `the next call: ${countsOf(rounds.map(({ outcome }) => outcome).sort())}`,
    `fate of the POST: ${countsOf(rounds.map(({ plan }) => plan.fate).sort())}; more than one call in ${rounds.filter(({ calls }) => calls > 1).length} rounds`,
    `ms after the start: ${instants.join(' ')}`,
  ].join('\n');
}

/** What was wrong, each with the index of its round. */
export const problemsIn = ({ rounds }: Played): readonly string[] =>
  rounds.flatMap(({ plan, problems }) => problems.map((what) => `${plan.index}: ${what}`));
