import { randomBytes } from 'node:crypto';

/** A new run id, `20261123t211500-ab12cd`: in order of time (UTC), lower case, fit for a file and an application name. */
export function newRunId(now: Date = new Date()): string {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase();
  return `${time}-${randomBytes(3).toString('hex')}`;
}
