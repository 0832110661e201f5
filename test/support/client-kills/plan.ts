import { keyFor, keyOf, unit } from '../../../src/sandbox/tapes/hash.js';

/** How far a submission has come, in this order; each is seen from outside of the client. */
export const steps = [
  'started',
  'asked',
  'stored',
  'written down',
  'arrived',
  'taken',
  'answered',
  'id written',
  'registered',
] as const;

export type Step = (typeof steps)[number];

/** When the client is killed: at a share of the time that an undisturbed call takes, or so long after a step. */
export type Instant = { readonly share: number } | { readonly after: Step; readonly ms: number };

/** What becomes of the POST of a killed client. */
export type Fate = 'as usual' | 'taken late' | 'never taken';

export interface Plan {
  readonly index: number;
  /** One kill for each; the call after the last is left alone. */
  readonly instants: readonly Instant[];
  readonly fate: Fate;
  /** Ms that the master lets a POST wait before it is taken, and before it is answered. */
  readonly takesAfterMs: number;
  readonly answersAfterMs: number;
  /** Ms until a worker takes the driver, and from there until it registers its run. */
  readonly placesAfterMs: number;
  readonly registersAfterMs: number;
  /** So long the master is no leader after the last kill. */
  readonly standbyMs: number;
}

/** Draws of one index of a seed, each a number from 0 up to 1, always the same for the same name. */
const draws = (seed: string, index: number): ((name: string) => number) => {
  const key = keyOf(`client-kills/${seed}`);
  return (name) => unit(keyFor(key, name), index);
};

/** Four in ten instants are uniform in time, the others lie within 25 ms after a step: between two steps is little time. */
function instantOf(draw: (name: string) => number, name: string, after: readonly Step[]): Instant {
  if (draw(`${name} kind`) < 0.4) return { share: draw(`${name} share`) };
  const step = after[Math.floor(draw(`${name} step`) * after.length)] ?? 'asked';
  return { after: step, ms: Math.floor(draw(`${name} ms`) ** 2 * 25) };
}

/** The plan of one round; every draw comes from the seed and the index alone. */
export function planOf(seed: string, index: number, after: readonly Step[] = steps.slice(1)): Plan {
  const draw = draws(seed, index);
  const [fated, placing, registering] = [draw('fate'), draw('placing'), draw('registering')];
  const fate: Fate = fated < 0.1 ? 'taken late' : fated < 0.2 ? 'never taken' : 'as usual';
  // Killed before its id is written down, and its driver registers after the grace: the launch command alone says whose it is.
  const isMute = fated >= 0.2 && fated < 0.3;
  const soon = (step: Step): Instant => ({ after: step, ms: Math.floor(draw('soon') * 5) });
  const usual = isMute ? soon('taken') : instantOf(draw, 'first', after);
  const first = fate === 'as usual' ? usual : soon('arrived');
  const second = draw('twice') < 0.15 ? [instantOf(draw, 'second', ['asked', 'registered'])] : [];
  return {
    index,
    instants: [first, ...second],
    fate,
    takesAfterMs: Math.floor(fate === 'taken late' ? 1000 + draw('late') * 10_000 : draw('takes') ** 2 * 80),
    answersAfterMs: Math.floor(draw('answers') ** 2 * 80),
    placesAfterMs: placing < 0.75 ? 0 : Math.floor(placing < 0.95 ? draw('places') * 8000 : 17_000),
    registersAfterMs: Math.floor(
      isMute ? 18_000 : registering < 0.4 ? 50 + draw('registers') * 600 : draw('registers') * 8000,
    ),
    standbyMs: draw('standby') < 0.1 ? Math.floor(500 + draw('standby ms') * 2000) : 0,
  };
}

/** As a line of the report shows it. */
export const textOf = (instant: Instant): string =>
  'share' in instant ? `${(instant.share * 100).toFixed(1)} %` : `${instant.after}+${instant.ms}`;
