import { type Finding } from './report.js';

/** The space of one file system, in bytes. */
export interface DiskSpace {
  /** The folder by which it was asked. */
  readonly path: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

const gigabyte = 1e9;
/** Servers stop at a full disk, and some lose data: below this, whatever the size of the disk. */
const leastFreeBytes = 2 * gigabyte;
/** A smaller share than this is too little too, unless it is still as much as the next limit. */
const leastFreeShare = 0.05;
const enoughFreeBytes = 20 * gigabyte;

/** Below this a start would only do harm: PostgreSQL and Kafka make files of 16 MB and more, and the NameNode goes into safe mode. */
const leastToStartBytes = 0.25 * gigabyte;

export const isFull = ({ freeBytes }: Pick<DiskSpace, 'freeBytes'>): boolean => freeBytes < leastToStartBytes;

/** The one rule for every disk: less than 2 GB are free, or less than 5 % and less than 20 GB. */
export const isNearlyFull = ({ freeBytes, totalBytes }: Omit<DiskSpace, 'path'>): boolean =>
  freeBytes < leastFreeBytes || (freeBytes < enoughFreeBytes && freeBytes < totalBytes * leastFreeShare);

/** `1.9 of 250 GB`. */
export const freeText = ({ freeBytes, totalBytes }: Omit<DiskSpace, 'path'>): string =>
  `${(freeBytes / gigabyte).toFixed(1)} of ${Math.round(totalBytes / gigabyte)} GB`;

/** The disks that this computer's own servers write to. */
export function findDisks(disks: readonly DiskSpace[]): Finding {
  return {
    summary: disks.map((disk) => `${freeText(disk)} free at ${disk.path}`).join('; '),
    problems: disks
      .filter(isNearlyFull)
      .map(
        (disk) =>
          `the disk of ${disk.path} is nearly full, ${freeText(disk)} are free: make room before the servers stop`,
      ),
    facts: { disks },
  };
}
