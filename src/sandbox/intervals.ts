const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** 1970-01-05, the first Monday: weeks begin on Mondays. */
const FIRST_MONDAY = 4 * DAY;

/** How time is cut into klines; times in epoch ms. */
export interface Interval {
  readonly name: string;
  /** The open time of the kline that a time falls into. */
  openOf(time: number): number;
  /** The open time of the kline after the one that opens at `open`. */
  nextOpen(open: number): number;
}

function fixed(name: string, length: number, origin = 0): Interval {
  return {
    name,
    openOf: (time) => Math.floor((time - origin) / length) * length + origin,
    nextOpen: (open) => open + length,
  };
}

function monthStart(time: number, later: number): number {
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later);
}

const intervals: readonly Interval[] = [
  fixed('1s', SECOND),
  ...[1, 3, 5, 15, 30].map((count) => fixed(`${count}m`, count * MINUTE)),
  ...[1, 2, 4, 6, 8, 12].map((count) => fixed(`${count}h`, count * HOUR)),
  fixed('1d', DAY),
  fixed('3d', 3 * DAY),
  fixed('1w', 7 * DAY, FIRST_MONDAY),
  { name: '1M', openOf: (time) => monthStart(time, 0), nextOpen: (open) => monthStart(open, 1) },
];

/** The interval of this name (case matters: `1m` is a minute, `1M` a month), or undefined. */
export function intervalNamed(name: string): Interval | undefined {
  return intervals.find((interval) => interval.name === name);
}

export const oneMinute: Interval = fixed('1m', MINUTE);

/** The same interval cut in a time zone that is `offset` ms ahead of UTC. */
export function shifted(interval: Interval, offset: number): Interval {
  if (offset === 0) return interval;
  return {
    name: interval.name,
    openOf: (time) => interval.openOf(time + offset) - offset,
    nextOpen: (open) => interval.nextOpen(open + offset) - offset,
  };
}
