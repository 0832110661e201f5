/** A time for people: `2026-11-23 21:15:00Z`, or nothing. */
export const shortTime = (time: Date | undefined): string =>
  time === undefined ? '' : `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;
