/** What time it is on the exchange, epoch ms. */
export interface Clock {
  now(): number;
}

export const wallClock: Clock = { now: () => Date.now() };

/** A clock that stands. */
export function stoppedAt(time: number): Clock {
  return { now: () => time };
}

/** Starts at `start` now and runs `speed` times as fast as `real`. */
export function playedFrom(start: number, speed: number, real: Clock = wallClock): Clock {
  const begun = real.now();
  return { now: () => start + Math.floor((real.now() - begun) * speed) };
}
