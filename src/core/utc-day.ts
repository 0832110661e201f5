const dayMs = 86_400_000;

/** A UTC day is the epoch ms of its beginning. */
export const dayOf = (time: number): number => Math.floor(time / dayMs) * dayMs;

/** Where the next day begins. */
export const dayAfter = (day: number): number => day + dayMs;

/** `2024-08-08`. */
export const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);

/** Reads `2024-08-08`; undefined where it is no day. Total. */
export function parseDay(text: string): number | undefined {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  // `Date.parse` reads February 30 as a day in March.
  return !Number.isNaN(day) && dayText(day) === text ? day : undefined;
}

/** From one day to another, both included; none where the first is the later one. */
export function daysFrom(first: number, last: number): number[] {
  const count = Math.max(0, Math.floor((last - first) / dayMs) + 1);
  return Array.from({ length: count }, (_, index) => first + index * dayMs);
}
