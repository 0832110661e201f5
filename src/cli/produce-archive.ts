import type { DayRange } from '../commands/produce/archive-plan.js';
import type { ArchiveEvent, ArchiveReport, FilledHole, OddRows } from '../commands/produce/archive-report.js';
import { UsageError } from '../core/errors.js';
import type { StartPoint } from '../core/start-point.js';
import { dayOf, dayText, parseDay } from '../core/utc-day.js';

export interface ArchiveFlags {
  readonly feed?: string;
  readonly from?: StartPoint;
  readonly to?: string;
  readonly archive?: string;
  readonly interval?: string;
  readonly detach?: boolean;
}

const nextStep = 'Write it like `cryptopipe produce --feed archive --from 2024-08-08 --to 2024-08-09`.';

/** @throws UsageError where flags of an archive stand without one. */
export function refuseArchiveFlags({ to, archive }: ArchiveFlags): void {
  const flag = to !== undefined ? '--to' : archive !== undefined ? '--archive' : undefined;
  if (flag !== undefined)
    throw new UsageError(`${flag} belongs to --feed archive; other feeds go on for ever`, { nextStep });
}

/** The days that were asked for. @throws UsageError where they are none, or where other flags do not go with an archive. */
export function archiveRange(flags: ArchiveFlags): DayRange {
  if (flags.detach === true)
    throw new UsageError('--feed archive comes to an end, so --detach does not go with it', {
      nextStep: 'Run it beside the one in the background; what is sent twice is counted once.',
    });
  if (flags.interval !== undefined)
    throw new UsageError('--feed archive does not poll, so --interval says nothing', {
      nextStep: 'Leave --interval out.',
    });
  const from = dayOfPoint(flags.from);
  const to = flags.to === undefined ? undefined : parseDay(flags.to);
  if (from === undefined || to === undefined)
    throw new UsageError(
      `--feed archive needs a day for ${from === undefined ? '--from' : '--to'}, YYYY-MM-DD`,
      { nextStep },
    );
  if (from > to)
    throw new UsageError(`--from ${dayText(from)} is after --to ${dayText(to)}`, {
      nextStep: 'Exchange the two; both days are included.',
    });
  return { from, to };
}

const dayOfPoint = (point: StartPoint | undefined): number | undefined =>
  point?.kind === 'time' && dayOf(point.time) === point.time ? point.time : undefined;

const grouped = (value: number): string => value.toLocaleString('en-US');

/** One line on what was found while it is found. */
export function archiveEventLine(event: ArchiveEvent): string {
  switch (event.kind) {
    case 'missing file':
      return `${event.symbol}: the archive has no file of ${event.day}; its trades come from the exchange`;
    case 'hole':
      return `${event.symbol}: ${holeText(event.hole)}`;
    case 'odd file':
      return `${event.symbol}: ${event.file} ${oddText(event.odd)}`;
  }
}

function holeText({ firstId, lastId, fetched, unpublished }: FilledHole): string {
  const count = lastId - firstId + 1;
  const came = `trades ${firstId} to ${lastId} are not in the archive: ${grouped(fetched)} of ${grouped(count)} came from the exchange`;
  const ranges = unpublished.slice(0, 5).map((range) => `${range.firstId} to ${range.lastId}`);
  return ranges.length === 0 ? came : `${came}, which does not have ${ranges.join(', ')} either`;
}

const oddText = ({ doubled, conflicting, disordered, unreadable }: OddRows): string =>
  [
    ...(doubled > 0 ? [`has ${grouped(doubled)} rows twice; each is sent once`] : []),
    ...(conflicting > 0 ? [`has ${grouped(conflicting)} ids for two trades each; the first counts`] : []),
    ...(disordered > 0 ? [`has ${grouped(disordered)} rows out of order of id; they are sent too`] : []),
    ...(unreadable > 0
      ? [
          `has ${grouped(unreadable)} rows that cannot be read; they are stored, and the exchange is asked for their ids`,
        ]
      : []),
  ].join('; ');

/** What is said at the end. */
export function archiveReportLines(report: ArchiveReport): string[] {
  const { files, missingFiles, holes, fetched, unpublishedIds } = report;
  if (files + missingFiles + holes === 0) return ['archive: nothing was left to bring'];
  const missing = missingFiles === 0 ? '' : `, ${missingFiles} missing`;
  const filled =
    holes === 0 ? 'no hole' : `${grouped(holes)} holes, ${grouped(fetched)} trades from the exchange`;
  const never =
    unpublishedIds === 0 ? '' : `; ${grouped(unpublishedIds)} ids were never published, the exchange says`;
  return [`archive: ${files} files read${missing}; ${filled}${never}`];
}
